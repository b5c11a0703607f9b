package conn

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/seed-c4549abd/wss/internal/alarm"
)

// corkLimit is how long a reply may wait for a callback that does not return: between
// one and two of it. It is a safety net; what has gathered leaves when the input is
// handled. A shorter one would cost: every time that it is over, a thread wakes up.
const corkLimit = 10 * time.Millisecond

// corks watches over the connections on which something gathers. Hardly ever is
// anything to be done, so it must cost next to nothing: one timer for all, which runs on
// as long as something gathers now and then, and lists that hold only those connections
// whose callbacks are at work at this moment.
type corks struct {
	shards [corkShards]corkShard // so that processors do not meet at one lock

	armed atomic.Bool
	mu    sync.Mutex // guards timer, and changes of armed
	timer *alarm.Timer
	due   []*Conn // tick's
}

const corkShards = 16

type corkShard struct {
	mu    sync.Mutex
	first *corked
	used  bool     // something was entered since the last tick
	_     [40]byte // a cache line for each
}

// corked is a connection's place in corks.
type corked struct {
	listed     bool // guarded by outbox.mu
	seen       bool // by a tick; guarded by the shard's lock, as is what follows
	linked     bool
	c          *Conn
	next, prev *corked
}

// gathered notes that something is left to gather. o.mu is held.
func (c *Conn) gathered() {
	if k := &c.out.cork; !k.listed {
		k.listed, k.c = true, c
		c.set.corks.add(k)
	}
}

// ungathered notes that nothing is. o.mu is held.
func (c *Conn) ungathered() {
	if k := &c.out.cork; k.listed {
		k.listed = false
		c.set.corks.remove(k)
	}
}

func (w *corks) shard(k *corked) *corkShard {
	return &w.shards[uintptr(unsafe.Pointer(k))>>10*0x9E3779B1>>16%corkShards]
}

func (w *corks) add(k *corked) {
	s := w.shard(k)
	s.mu.Lock()
	if !k.linked {
		k.prev, k.next, k.linked = nil, s.first, true
		if s.first != nil {
			s.first.prev = k
		}
		s.first = k
	}
	k.seen, s.used = false, true
	s.mu.Unlock()
	if !w.armed.Load() {
		w.arm()
	}
}

func (w *corks) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.armed.Load() {
		w.armed.Store(true)
		w.timer = alarm.AfterFunc(corkLimit, w.tick)
	}
}

// remove takes out a connection that has sent what had gathered, or has ended.
func (w *corks) remove(k *corked) {
	s := w.shard(k)
	s.mu.Lock()
	s.unlink(k)
	s.mu.Unlock()
}

func (s *corkShard) unlink(k *corked) {
	if !k.linked {
		return
	}
	if k.prev == nil {
		s.first = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next != nil {
		k.next.prev = k.prev
	}
	k.next, k.prev, k.linked = nil, nil, false
}

// rest stops the timer if nothing gathers anywhere. A connection that ends asks for it,
// as a timer belongs to the testing/synctest bubble that made it.
func (w *corks) rest() {
	if !w.armed.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil && !w.watches() && w.timer.Stop() {
		w.timer = nil
		w.armed.Store(false)
		w.rearm()
	}
}

// watches reports whether something gathers.
func (w *corks) watches() bool {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		some := s.first != nil
		s.mu.Unlock()
		if some {
			return true
		}
	}
	return false
}

// rearm looks again after armed was cleared: who came before has not armed. w.mu is held.
func (w *corks) rearm() {
	if w.watches() && w.armed.CompareAndSwap(false, true) {
		w.timer = alarm.AfterFunc(corkLimit, w.tick)
	}
}

// tick sends what waits since the tick before.
func (w *corks) tick() {
	used := false
	due := w.due
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		used = used || s.used || s.first != nil
		s.used = false
		for k := s.first; k != nil; {
			next := k.next
			if k.seen {
				due = append(due, k.c)
				s.unlink(k)
			}
			k.seen = true
			k = next
		}
		s.mu.Unlock()
	}
	for _, c := range due {
		if c.out.overdue(c) {
			c.kick()
		}
	}
	clear(due)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due = due[:0]
	if used {
		w.timer.Reset(corkLimit)
		return
	}
	w.timer, w.due = nil, nil
	w.armed.Store(false)
	w.rearm()
}

// overdue reports whether something has been waiting, and has the next frame watched
// again.
func (o *outbox) overdue(c *Conn) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	c.ungathered()
	return (len(o.buf) > 0 || len(o.queue) > 0) && o.isCorked() && c.ended.Load() == nil
}
