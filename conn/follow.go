package conn

import (
	"context"
	"sync/atomic"
)

// follower is a writer whose frame somebody else is going to send, and that can give up
// before. It is woken once: when its frame has left, or to send what has gathered meanwhile
// itself.
type follower struct {
	next  *follower
	seq   int64
	woken chan struct{}
}

// followers of a connection, in the order in which they came; first and last are guarded by
// the outbox's mu.
type followers struct {
	first, last *follower
	kept        atomic.Int32 // how many are in spare
	spare       atomic.Pointer[follower]
}

// maxSpare is how many followers are kept until the connection falls silent; those who
// return at the same time may make it a few more.
const maxSpare = 64

// take returns a follower that nobody wakes. mu is held: a follower that is first in spare
// stays there until it is taken, so its next is what the list goes on with.
func (l *followers) take() *follower {
	for {
		f := l.spare.Load()
		if f == nil {
			return &follower{woken: make(chan struct{}, 1)}
		}
		if l.spare.CompareAndSwap(f, f.next) {
			l.kept.Add(-1)
			return f
		}
	}
}

// give takes back a follower that was woken. mu need not be held.
func (l *followers) give(f *follower) {
	if l.kept.Load() >= maxSpare {
		return
	}
	l.kept.Add(1)
	for {
		f.next = l.spare.Load()
		if l.spare.CompareAndSwap(f.next, f) {
			return
		}
	}
}

func (l *followers) add(f *follower) {
	if f.next = nil; l.first == nil {
		l.first = f
	} else {
		l.last.next = f
	}
	l.last = f
}

// remove takes out those that out is true for, and reports whether there were any.
func (l *followers) remove(out func(*follower) bool) (found bool) {
	f := l.first
	l.first, l.last = nil, nil
	for f != nil {
		next := f.next
		if out(f) {
			found = true
		} else {
			l.add(f)
		}
		f = next
	}
	return found
}

// wakeFollowers wakes those whose frames have left, and one of the others to send what has
// gathered, unless somebody else was already woken for that.
func (l *followers) wakeFollowers(sent int64, lead bool) {
	l.remove(func(f *follower) bool {
		if f.seq > sent && lead {
			return false
		}
		lead = lead || f.seq > sent
		f.woken <- struct{}{}
		return true
	})
}

// join adds a follower who waits until all up to seq has left. mu is held.
func (o *outbox) join(seq int64) *follower {
	w := o.following.have()
	f := w.take()
	f.seq = seq
	w.add(f)
	o.following.noteSome()
	return f
}

// follow waits while the holder of tok sends what has gathered, as f if it is not nil. It
// returns when all up to seq has left, or with lead and the token when nobody is sending any
// more. The error is ctx's, or the connection's.
func (c *Conn) follow(ctx context.Context, seq int64, f *follower) (lead bool, err error) {
	o := &c.out
	for {
		if f == nil {
			if f, err = c.enroll(seq); f == nil {
				return false, err
			}
		}
		// The holder may have gone before it could see us.
		if o.tok.try() {
			o.dismiss(f)
			return true, nil
		}
		select {
		case <-f.woken:
		case <-ctx.Done():
			o.dismiss(f)
			o.wake() // if it was our turn to lead, it is another's now
			return false, c.because(ctx.Err())
		}
		o.giveBack(f)
		if f = nil; o.sent.Load() >= seq {
			return false, nil
		}
	}
}

// enroll returns a follower that is going to be woken; nil if all up to seq has left
// already.
func (c *Conn) enroll(seq int64) (*follower, error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent.Load() >= seq {
		return nil, nil
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return o.join(seq), nil
}

// dismiss makes sure that nobody is going to wake f.
func (o *outbox) dismiss(f *follower) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.following.have()
	if !w.remove(func(g *follower) bool { return g == f }) {
		<-f.woken
	}
	o.following.noteAny(w)
	w.give(f)
}

// giveBack is give for who does not hold mu; the crowd may have been forgotten.
func (o *outbox) giveBack(f *follower) {
	if w := o.following.crowd.Load(); w != nil {
		w.give(f)
	}
}
