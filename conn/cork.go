package conn

import (
	"sync"
	"time"
)

// corkLimit is how long a reply may wait for a callback that does not return: between
// one and two of it. It is a safety net; what has gathered leaves when the input is
// handled.
const corkLimit = 2 * time.Millisecond

// corks watches over the connections on which something gathers. Hardly ever is
// anything to be done, so it must cost next to nothing: one timer for all, and a
// connection is entered at most once in a corkLimit, whatever the number of messages.
type corks struct {
	mu    sync.Mutex
	first *corked
	timer *time.Timer // nil while nobody is watched, and during tick
	ticks bool        // tick is under way: it arms the timer when it ends
}

// corked is a connection's place in corks.
type corked struct {
	c          *Conn
	next, prev *corked
	listed     bool // guarded by corks.mu
	watched    bool // guarded by outbox.mu: it need not be entered again
}

// gathered notes that something is left to gather. o.mu is held.
func (c *Conn) gathered() {
	if k := &c.out.cork; !k.watched {
		k.watched, k.c = true, c
		c.set.corks.add(k)
	}
}

func (w *corks) add(k *corked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k.prev, k.next, k.listed = nil, w.first, true
	if w.first != nil {
		w.first.prev = k
	}
	w.first = k
	if w.timer == nil && !w.ticks {
		w.timer = time.AfterFunc(corkLimit, w.tick)
	}
}

// remove takes out a connection that has ended.
func (w *corks) remove(k *corked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !k.listed {
		return
	}
	if k.prev == nil {
		w.first = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next != nil {
		k.next.prev = k.prev
	}
	k.next, k.prev, k.listed = nil, nil, false
	if w.first == nil && w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// tick sends what still waits on the connections that were entered before it.
func (w *corks) tick() {
	for _, c := range w.begin() {
		if c.out.overdue(c) {
			c.kick()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ticks = false; w.first != nil {
		w.timer = time.AfterFunc(corkLimit, w.tick)
	}
}

// begin empties the list.
func (w *corks) begin() (due []*Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticks, w.timer = true, nil
	for k := w.first; k != nil; {
		next := k.next
		k.next, k.prev, k.listed = nil, nil, false
		due = append(due, k.c)
		k = next
	}
	w.first = nil
	return due
}

// overdue reports whether something has been waiting, and has the next frame watched
// again.
func (o *outbox) overdue(c *Conn) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cork.watched = false
	return (len(o.buf) > 0 || len(o.queue) > 0) && o.isCorked() && c.ended.Load() == nil
}
