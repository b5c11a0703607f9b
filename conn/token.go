package conn

import (
	"context"
	"sync"
	"sync/atomic"
)

// token is a mutex that can be waited for with a context. It is passed on in the
// order of waiting, and costs nothing but its few bytes while nobody waits. The zero
// value is free.
type token struct {
	state atomic.Int32
	mu    sync.Mutex // guards what follows, and every change to or from awaited
	first *tokenWaiter
	last  *tokenWaiter
}

// States of a token.
const (
	free int32 = iota
	held
	awaited // held, and somebody waits
)

type tokenWaiter struct {
	next    *tokenWaiter
	granted chan struct{} // closed when the token is this waiter's
}

// ending is what a wait ends with, besides its context: a connection.
type ending interface{ done() <-chan struct{} }

func (t *token) try() bool { return t.state.Load() == free && t.state.CompareAndSwap(free, held) }

// taken reports whether somebody has the token.
func (t *token) taken() bool { return t.state.Load() != free }

// lock takes the token, unless ctx ends or the connection does before; nil has no end.
// After the latter the error is nil and ok false.
func (t *token) lock(ctx context.Context, c ending) (ok bool, err error) {
	if t.try() {
		return true, nil
	}
	w := t.enqueue()
	if w == nil {
		return true, nil
	}
	var done <-chan struct{}
	if c != nil {
		done = c.done()
	}
	select {
	case <-w.granted:
		return true, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-done:
	}
	if !t.leave(w) {
		t.unlock() // it was granted at the same time
	}
	return false, err
}

// enqueue returns a waiter, or nil if the token was free after all and is taken.
func (t *token) enqueue() *tokenWaiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.state.Load() != awaited {
		if t.try() {
			return nil
		}
		t.state.CompareAndSwap(held, awaited)
	}
	w := &tokenWaiter{granted: make(chan struct{})}
	if t.first == nil {
		t.first = w
	} else {
		t.last.next = w
	}
	t.last = w
	return w
}

// leave takes w out of the queue. It returns false if w is the holder already.
func (t *token) leave(w *tokenWaiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var before *tokenWaiter
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

// unlock gives the token to whoever has waited longest.
func (t *token) unlock() {
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
