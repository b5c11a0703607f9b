// Package token has a mutex whose Lock ends with a context.
package token

import (
	"context"
	"sync"
	"sync/atomic"
)

// Token is a mutex that can be waited for with a context. It is passed on in the order of waiting, and needs no
// memory but its own while nobody waits. The zero value is unlocked.
type Token struct {
	state atomic.Int32
	mu    sync.Mutex // guards what follows, and every change to or from awaited
	first *waiter
	last  *waiter
}

// States of a token.
const (
	free int32 = iota
	held
	awaited // held, and somebody waits
)

type waiter struct {
	next    *waiter
	granted chan struct{} // closed when the token is this waiter's
}

// Ending is what a wait ends with, besides its context. Done is called only by those who have to wait.
type Ending interface{ Done() <-chan struct{} }

// TryLock takes the token if nobody has it.
func (t *Token) TryLock() bool { return t.state.Load() == free && t.state.CompareAndSwap(free, held) }

// Locked reports whether somebody has the token.
func (t *Token) Locked() bool { return t.state.Load() != free }

// Lock takes the token, unless ctx or owner ends before; owner may be nil. The error is ctx's. If owner has ended,
// it is nil and ok false.
func (t *Token) Lock(ctx context.Context, owner Ending) (ok bool, err error) {
	if t.TryLock() {
		return true, nil
	}
	w := t.enqueue()
	if w == nil {
		return true, nil
	}
	var done <-chan struct{}
	if owner != nil {
		done = owner.Done()
	}
	select {
	case <-w.granted:
		return true, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-done:
	}
	if !t.cancel(w) {
		t.Unlock() // it was granted at the same time
	}
	return false, err
}

// enqueue returns a waiter, or nil if the token was free after all and is taken.
func (t *Token) enqueue() *waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.state.Load() != awaited {
		if t.TryLock() {
			return nil
		}
		t.state.CompareAndSwap(held, awaited)
	}
	w := &waiter{granted: make(chan struct{})}
	if t.first == nil {
		t.first = w
	} else {
		t.last.next = w
	}
	t.last = w
	return w
}

// cancel takes w out of the queue. It returns false if w is the holder already.
func (t *Token) cancel(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var before *waiter
	for v := t.first; v != w; v = v.next {
		if v == nil {
			return false
		}
		before = v
	}
	if before == nil {
		t.first = w.next
	} else {
		before.next = w.next
	}
	if t.last == w {
		t.last = before
	}
	if t.first == nil {
		t.state.Store(held)
	}
	return true
}

// Unlock gives the token to whoever has waited longest.
func (t *Token) Unlock() {
	if t.state.CompareAndSwap(held, free) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.first
	if w == nil { // the last one to wait has just left
		t.state.Store(free)
		return
	}
	if t.first = w.next; t.first == nil {
		t.last = nil
		t.state.Store(held)
	}
	close(w.granted)
}
