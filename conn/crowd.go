package conn

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// crowd are the writers whose frames somebody else is going to send. Those who can give up
// are followers (follow.go); the others sleep in turns. mu is the outbox's.
type crowd struct {
	gathering *turn // those whose frames are in the outbox; guarded by mu, as leaving is
	leaving   *turn // those whose frames somebody is sending; mostly one turn
	old       atomic.Pointer[turn]
	followers
	// What is kept for those who come next is kept by connection, because nothing to wait
	// for must leave the testing/synctest bubble in which it was made.
}

// turn are writers that sleep until all of their frames have left, which these do together:
// to wake them all costs less than to wake each.
type turn struct {
	sync.Cond     // its Wait lets go of mu, and does not take it again
	n         int // who sleep; guarded by mu
	next      *turn
}

// unlocker is a mutex that is only let go of.
type unlocker struct{ mu *sync.Mutex }

func (u unlocker) Unlock() { u.mu.Unlock() }
func (unlocker) Lock()     {}

// following is the crowd of a connection, from when there was one until it fell silent.
type following struct {
	any     atomic.Bool // there is somebody in it
	crowded atomic.Bool // there was when something was last sent
	crowd   atomic.Pointer[crowd]
	_       [2]uintptr // so that what the other side needs begins a cache line: see Conn
}

// have returns the crowd, which is about to have somebody in it. mu is held.
func (l *following) have() *crowd {
	w := l.crowd.Load()
	if w == nil {
		w = new(crowd)
		l.crowd.Store(w)
	}
	return w
}

// noteAny notes whether somebody is left. mu is held.
func (l *following) noteAny(w *crowd) {
	l.any.Store(w.first != nil || w.leaving != nil || w.gathering != nil && w.gathering.n > 0)
}

// noteSome notes that there is somebody. mu is held.
func (l *following) noteSome() {
	if !l.any.Load() { // to load it is cheaper, and mostly enough
		l.any.Store(true)
	}
}

// noteCrowd notes whether somebody came while something was sent. tok is held.
func (l *following) noteCrowd() {
	if any := l.any.Load(); any != l.crowded.Load() {
		l.crowded.Store(any)
	}
}

// depart notes that all that has gathered is about to be sent. mu is held.
func (l *following) depart() {
	if w := l.crowd.Load(); w != nil && w.gathering != nil && w.gathering.n > 0 {
		t := w.gathering
		w.gathering, w.leaving, t.next = nil, t, w.leaving
	}
}

// canGiveUp reports whether ctx can end before the connection does, whose end wakes every
// writer.
func (c *Conn) canGiveUp(ctx context.Context) bool {
	if ctx.Done() == nil {
		return false
	}
	x := c.lif.ctx.Load()
	return x == nil || *x != ctx
}

// sleep waits while somebody is sending: until all up to seq has left, or until what has
// gathered needs somebody who sends it. mu is held, and let go of.
func (o *outbox) sleep(seq int64) {
	w := o.following.have()
	t := &w.gathering
	if seq <= o.framed-int64(len(o.buf)) {
		t = &w.leaving
	}
	if *t == nil {
		if *t = w.old.Swap(nil); *t == nil {
			*t = &turn{Cond: sync.Cond{L: unlocker{&o.mu}}}
		}
	}
	(*t).n++
	o.following.noteSome()
	if o.tok.taken() {
		(*t).Wait() // whoever has the token sees any after it has let go of that
		return
	}
	(*t).n--
	o.mu.Unlock()
}

// followAsleep is follow for a writer that does not give up, and that may have slept.
func (c *Conn) followAsleep(seq int64) (lead bool, err error) {
	o := &c.out
	for o.sent.Load() < seq {
		if err := c.err(); err != nil {
			return false, err
		}
		if o.tok.try() {
			return true, nil
		}
		o.mu.Lock()
		if c.ended.Load() != nil {
			o.mu.Unlock() // nobody wakes us any more
			continue
		}
		o.sleep(seq)
	}
	return false, nil
}

// yield lets the other writers gather before what has gathered is sent, until no more comes:
// those who were woken by the last flush may have more. tok is held, so they will follow. Some
// turns pass before the scheduler has looked at them; with much else to do a turn can be long.
func (o *outbox) yield() {
	const most, idle = 16, 3
	before := int64(0)
	for turn, still := 0, 0; turn < most && still < idle; turn++ {
		runtime.Gosched()
		o.mu.Lock()
		if still++; o.framed != before {
			before, still = o.framed, 0
		}
		o.mu.Unlock()
	}
}

// wake wakes the writers whose frames have left, and one of the others to send what has
// gathered.
func (o *outbox) wake() {
	if !o.following.any.Load() {
		return
	}
	o.mu.Lock()
	w := o.following.have()
	t := w.leaving
	w.leaving = nil
	lead := w.gathering != nil && w.gathering.n > 0
	if lead {
		w.gathering.n--
		w.gathering.Signal()
	}
	w.wakeFollowers(o.sent.Load(), lead)
	o.following.noteAny(w)
	o.mu.Unlock()
	w.wakeTurns(t)
}

// wakeTurns wakes all of t and of those behind it, which nobody can join any more.
func (w *crowd) wakeTurns(t *turn) {
	for t != nil {
		next := t.next
		t.n, t.next = 0, nil
		t.Broadcast()
		w.old.Store(t)
		t = next
	}
}

// wakeAll wakes everybody because the connection has ended. mu is held.
func (o *outbox) wakeAll() {
	w := o.following.crowd.Load()
	if w == nil {
		return
	}
	w.wakeTurns(w.leaving)
	w.wakeTurns(w.gathering)
	w.leaving, w.gathering = nil, nil
	w.remove(func(f *follower) bool {
		f.woken <- struct{}{}
		return true
	})
	o.following.any.Store(false)
}

// forgetCrowd frees what a crowd of writers has left behind.
func (o *outbox) forgetCrowd() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.following.any.Load() {
		o.following.crowd.Store(nil)
	}
}
