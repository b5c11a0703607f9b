package conn

import (
	"sync"
	"sync/atomic"
	"time"
)

// corkLimit is how long a corked message may wait for a callback that does not return: between one and two of it. It is a
// safety net: what is corked is sent when the input is handled.
const corkLimit = 10 * time.Millisecond

// cork says whether messages are buffered without being sent at once.
type cork struct {
	serving atomic.Int32 // what Serve is doing: notServing, moreInput or lastInput
	calls   atomic.Int32 // of Cork that have not returned
	timer   *corkTimer
}

// What Serve is doing.
const (
	notServing int32 = iota
	moreInput        // it handles a message, and more input is available: replies are buffered
	lastInput        // it handles a message, and no more is available: replies are sent, without waiting for the peer
)

// isOn reports whether messages are buffered.
func (k *cork) isOn() bool { return k.serving.Load() == moreInput || k.calls.Load() > 0 }

// setServing notes what Serve is doing.
func (k *cork) setServing(state int32) {
	if k.serving.Load() != state {
		k.serving.Store(state)
	}
}

// corkTimer sends what was corked for too long. It rarely has work: all connections share one timer, and a connection is
// listed at most once per tick.
type corkTimer struct {
	mu      sync.Mutex
	timer   *time.Timer // nil until it is first needed
	running bool
	all     []corked
	spare   []corked // memory for all, while tick looks at what is there
}

// corked is a connection on which something may be corked.
type corked struct {
	s    *sender
	from int64 // position of the first byte that was buffered at the last tick; -1: none was
}

// corkTimers is shared by all connections outside testing/synctest bubbles.
var corkTimers = new(corkTimer)

// startCorkTimer lists s in the cork timer. s.mu is held.
func (s *sender) startCorkTimer() {
	if !s.corkListed {
		s.corkListed = true
		s.cork.timer.add(s)
	}
}

// flushSoon has what is buffered sent by the cork timer, if nothing sends it before.
func (s *sender) flushSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushWanted.Store(true)
	s.startCorkTimer()
}

func (t *corkTimer) add(s *sender) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, corked{s, -1})
	if t.running {
		return
	}
	t.running = true
	if t.timer == nil {
		t.timer = time.AfterFunc(corkLimit, t.tick)
	} else {
		t.timer.Reset(corkLimit)
	}
}

// tick sends what waits since the tick before.
func (t *corkTimer) tick() {
	t.mu.Lock()
	all := t.all
	t.all, t.spare = t.spare, nil
	t.mu.Unlock()
	again := all[:0]
	var due []*sender
	for _, k := range all {
		from := k.s.corkedFrom()
		if from < 0 {
			continue
		}
		if from == k.from {
			due = append(due, k.s)
		}
		again = append(again, corked{k.s, from})
	}
	clear(all[len(again):])
	for _, s := range due {
		s.tryFlush()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	again = append(again, t.all...)
	clear(t.all)
	t.all, t.spare = again, t.all[:0]
	if t.running = len(t.all) > 0; t.running {
		t.timer.Reset(corkLimit)
	}
}

// corkedFrom returns the position of the first byte that waits for a flush; -1 if none does, and then s is no longer in the
// list.
func (s *sender) corkedFrom() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outbox.Empty() || !s.flushWanted.Load() {
		s.corkListed = false
		return -1
	}
	return s.outbox.Begin()
}
