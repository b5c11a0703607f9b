package conn

import (
	"context"
	"runtime"
	"sync/atomic"
)

// follower is a writer whose frame somebody else is going to send. It is woken once:
// when its frame has left, or to send what has gathered meanwhile itself.
type follower struct {
	next  *follower
	seq   int64
	woken chan struct{}
}

// following are the followers of a connection, in the order in which they came; first and
// last are guarded by the outbox's mu.
type following struct {
	any         atomic.Bool  // there are some
	kept        atomic.Int32 // how many are in spare
	first, last *follower
	spare       atomic.Pointer[follower] // for those who come next; of this connection only,
	// because a channel must not leave the testing/synctest bubble in which it was made
}

// maxSpare is how many followers are kept until the connection falls silent; those who
// return at the same time may make it a few more.
const maxSpare = 64

// take returns a follower that nobody wakes. mu is held: a follower that is first in spare
// stays there until it is taken, so its next is what the list goes on with.
func (l *following) take() *follower {
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
func (l *following) give(f *follower) {
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

func (l *following) add(f *follower) {
	if f.next = nil; l.first == nil {
		l.first = f
	} else {
		l.last.next = f
	}
	l.last = f
	l.any.Store(true)
}

// remove takes out those that out is true for, and reports whether there were any.
func (l *following) remove(out func(*follower) bool) (found bool) {
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
	l.any.Store(l.first != nil)
	return found
}

// follow waits while the holder of tok sends what has gathered, as f if it is not nil. It
// returns when all up to seq has left, or with lead and the token when nobody is sending any
// more. The error is ctx's, or the connection's.
func (c *Conn) follow(ctx context.Context, seq int64, f *follower) (lead bool, err error) {
	o := &c.out
	ended := ctx.Done()
	if x := c.lif.ctx.Load(); x != nil && *x == ctx {
		ended = nil // the end of the connection wakes us without
	}
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
		if ended == nil {
			<-f.woken
		} else {
			select {
			case <-f.woken:
			case <-ended:
				o.dismiss(f)
				o.wake() // if it was our turn to lead, it is another's now
				return false, c.because(ctx.Err())
			}
		}
		o.following.give(f)
		if f = nil; o.sent.Load() >= seq {
			return false, nil
		}
	}
}

// yield lets the other writers gather before what has gathered is sent: those who were
// woken by the last flush may have more. tok is held, so they will follow. The first
// turns often pass before the scheduler has looked at them.
func (o *outbox) yield() {
	for range 3 {
		runtime.Gosched()
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
	return o.following.join(seq), nil
}

// join adds a follower who waits until all up to seq has left. mu is held.
func (l *following) join(seq int64) *follower {
	f := l.take()
	f.seq = seq
	l.add(f)
	return f
}

// dismiss makes sure that nobody is going to wake f.
func (o *outbox) dismiss(f *follower) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.following.remove(func(g *follower) bool { return g == f }) {
		<-f.woken
	}
	o.following.give(f)
}

// forgetSpare frees what a crowd of writers has left behind.
func (o *outbox) forgetSpare() {
	o.mu.Lock()
	gone := int32(0)
	for f := o.following.spare.Swap(nil); f != nil; f = f.next {
		gone++
	}
	o.following.kept.Add(-gone) // and not to zero: somebody may be about to return one
	o.mu.Unlock()
}

// wake wakes the writers whose frames have left, and one of the others to send what has
// gathered.
func (o *outbox) wake() {
	if !o.following.any.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	sent, lead := o.sent.Load(), false
	o.following.remove(func(f *follower) bool {
		if f.seq > sent && lead {
			return false
		}
		lead = lead || f.seq > sent
		f.woken <- struct{}{}
		return true
	})
}

// wakeAll wakes everybody because the connection has ended. o.mu is held.
func (o *outbox) wakeAll() {
	o.following.remove(func(f *follower) bool {
		f.woken <- struct{}{}
		return true
	})
}
