package conn

import (
	"sync"
	"time"
)

// corkLimit is how long a reply may wait for a callback that does not return: between
// one and two of it. It is a safety net; what has gathered leaves when the input is
// handled. A shorter one would cost: every time that it is over, a thread wakes up.
const corkLimit = 10 * time.Millisecond

// corks watches over the connections on which something gathers. Hardly ever is
// anything to be done, so it must cost next to nothing: one timer for all, and a
// connection is entered at most once in a corkLimit, whatever the number of messages.
type corks struct {
	mu    sync.Mutex
	first *corked
	timer *time.Timer
	armed bool    // the timer runs, or tick is under way and arms it when it ends
	due   []*Conn // tick's
}

// corked is a connection's place in corks.
type corked struct {
	watched    bool // guarded by outbox.mu: it need not be entered again
	listed     bool // guarded by corks.mu
	c          *Conn
	next, prev *corked
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
	if !w.armed {
		w.arm()
	}
}

func (w *corks) arm() {
	if w.armed = true; w.timer == nil {
		w.timer = time.AfterFunc(corkLimit, w.tick)
	} else {
		w.timer.Reset(corkLimit)
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
	if w.first == nil && w.timer.Stop() {
		w.armed, w.timer = false, nil // a timer belongs to the testing/synctest bubble that made it
	}
}

// tick sends what still waits on the connections that were entered before it.
func (w *corks) tick() {
	due := w.begin()
	for _, c := range due {
		if c.out.overdue(c) {
			c.kick()
		}
	}
	clear(due)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due = due[:0]; w.first != nil {
		w.arm()
		return
	}
	w.armed, w.timer, w.due = false, nil, nil
}

// begin empties the list.
func (w *corks) begin() []*Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := w.due
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
