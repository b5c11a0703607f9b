package conn

import "sync/atomic"

// waiter is a writer whose frame somebody else is going to send. It is woken once: when its frame was sent, or to send
// what is there itself.
type waiter struct {
	next  *waiter
	end   int64 // position behind its frame
	woken chan struct{}
}

// waiters are the writers of a connection that wait, in the order in which they came. All but any and returned is guarded
// by the sender's lock.
type waiters struct {
	any         atomic.Bool // somebody waits
	first, last *waiter

	// Waiters are used again, on their own connection only: nothing to wait for may leave the testing/synctest bubble in
	// which it was made.
	spare    *waiter
	returned atomic.Pointer[waiter] // for spare
}

// maxSpare is how many waiters are kept for the next ones.
const maxSpare = 64

// add appends a waiter for all up to end.
func (l *waiters) add(end int64) *waiter {
	w := l.take()
	w.end = end
	l.append(w)
	return w
}

// append has w wait, again.
func (l *waiters) append(w *waiter) {
	if w.next = nil; l.first == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	if !l.any.Load() { // a load is cheaper than a store, and mostly enough
		l.any.Store(true)
	}
}

// remove takes w out, and reports whether nobody had woken it.
func (l *waiters) remove(w *waiter) bool {
	var before *waiter
	for v := l.first; v != w; v = v.next {
		if v == nil {
			return false
		}
		before = v
	}
	if before == nil {
		l.first = w.next
	} else {
		before.next = w.next
	}
	if l.last == w {
		l.last = before
	}
	l.any.Store(l.first != nil)
	return true
}

// takeSent removes the waiters whose frames were sent, and the first remaining one, which becomes the sender. The caller
// wakes them.
func (l *waiters) takeSent(sent int64) (woken *waiter) {
	var out, rest waiters
	lead := false
	for w := l.first; w != nil; {
		next := w.next
		if w.end <= sent || !lead {
			lead = lead || w.end > sent
			out.append(w)
		} else {
			rest.append(w)
		}
		w = next
	}
	l.first, l.last = rest.first, rest.last
	l.any.Store(l.first != nil)
	return out.first
}

// takeAll takes out everybody.
func (l *waiters) takeAll() (woken *waiter) {
	woken = l.first
	l.first, l.last = nil, nil
	l.any.Store(false)
	return woken
}

// wake wakes all of a list. No lock need be held.
func (w *waiter) wake() {
	for w != nil {
		next := w.next // w is its writer's once it is woken
		w.woken <- struct{}{}
		w = next
	}
}

// take returns a waiter that nobody wakes.
func (l *waiters) take() *waiter {
	if l.spare == nil {
		l.spare = l.returned.Swap(nil)
		last := l.spare
		for n := 1; last != nil && n < maxSpare; n++ {
			last = last.next
		}
		if last != nil {
			last.next = nil
		}
	}
	w := l.spare
	if w == nil {
		return &waiter{woken: make(chan struct{}, 1)}
	}
	l.spare = w.next
	return w
}

// giveBack is for a waiter that was woken or removed. No lock need be held.
func (l *waiters) giveBack(w *waiter) {
	for {
		first := l.returned.Load()
		w.next = first
		if l.returned.CompareAndSwap(first, w) {
			return
		}
	}
}

// forget frees what is kept for the next ones.
func (l *waiters) forget() {
	l.spare = nil
	l.returned.Store(nil)
}
