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

// following are the followers of a connection, in the order in which they came. They are
// the connection's own: a channel belongs to the testing/synctest bubble that made it, so
// one from a pool of the process could not be used in another.
type following struct {
	first, last *follower
	any         atomic.Bool // there are some

	spare       *follower // not in use, for the next ones
	used, spent int       // how many are in use, and how many are spare
}

// mostSpare is how many followers a connection keeps when no writer waits.
const mostSpare = 4

// take returns a follower for a writer.
func (l *following) take(seq int64) *follower {
	l.used++
	f := l.spare
	if f == nil {
		return &follower{seq: seq, woken: make(chan struct{}, 1)}
	}
	l.spare = f.next
	l.spent--
	f.seq, f.next = seq, nil
	return f
}

// put takes back a follower that nobody is going to wake.
func (l *following) put(f *follower) {
	f.next, l.spare = l.spare, f
	l.spent++
	// Those of a crowd stay as long as it does.
	for l.used--; l.used == 0 && l.spent > mostSpare; l.spent-- {
		l.spare = l.spare.next
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

// follow waits while the holder of tok sends what has gathered. It returns when all up
// to seq has left, or with lead and the token when nobody is sending any more. The
// error is ctx's, or the connection's.
func (c *Conn) follow(ctx context.Context, seq int64) (lead bool, err error) {
	o := &c.out
	var f *follower
	ended := ctx.Done()
	if x := c.lif.ctx.Load(); x != nil && *x == ctx {
		ended = nil // the end of the connection wakes us without
	}
	for {
		var done bool
		if f, done, err = c.enroll(f, seq); done || err != nil {
			return false, err
		}
		// The holder may have gone before it could see us.
		if o.tok.try() {
			o.dismiss(f)
			return true, nil
		}
		if ended == nil {
			<-f.woken
			continue
		}
		select {
		case <-f.woken:
		case <-ended:
			o.dismiss(f)
			o.wake() // if it was our turn to lead, it is another's now
			return false, c.because(ctx.Err())
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

// enroll adds f, or a follower that it makes if f is nil, to those who are woken, unless its
// frame has left already or the connection has ended: then f is gone.
func (c *Conn) enroll(f *follower, seq int64) (_ *follower, done bool, err error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	done = o.sent.Load() >= seq
	if !done {
		err = c.err()
	}
	if done || err != nil {
		if f != nil {
			o.following.put(f)
		}
		return nil, done, err
	}
	if f == nil {
		f = o.following.take(seq)
	}
	o.following.add(f)
	return f, false, nil
}

// dismiss makes sure that nobody is going to wake f, and takes it back.
func (o *outbox) dismiss(f *follower) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.following.remove(func(g *follower) bool { return g == f }) {
		<-f.woken
	}
	o.following.put(f)
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
