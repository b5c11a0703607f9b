package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// stall watches a peer that takes nothing of what waits for it, from the moment when our socket takes no more. It exists
// while something waits.
type stall struct {
	entry wheel.Entry

	// used by stallTask only, once it is scheduled
	since int64 // since when nothing was taken
	taken int64 // bytes that had been taken then
}

// stallLooks is how often a stall is looked at before the peer is given up.
const stallLooks = 8

// left returns how long the peer may go on without taking anything, of patience in all: since resumed or the last look at
// which it had taken more than before.
func (s *stall) left(now, taken, resumed int64, patience time.Duration) time.Duration {
	if taken != s.taken {
		s.since, s.taken = now, taken
	}
	return time.Duration(max(s.since, resumed)-now) + patience
}

// watchStall has the peer watched: something waits for it. The send side's token is held.
func (c *Conn) watchStall() {
	at := &c.timeouts().stall
	if at.Load() != nil {
		return
	}
	s := &stall{since: c.settings.wheel.Now(), taken: transport.Acknowledged(c.transport)}
	if !at.CompareAndSwap(nil, s) {
		return
	}
	c.settings.wheel.Schedule(&s.entry, (*stallTask)(c), c.settings.giveUpAfter()/stallLooks)
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
}

// stallTask is a connection whose stall the wheel asks.
type stallTask Conn

// Tick gives the peer up if it has taken nothing for too long.
func (t *stallTask) Tick() time.Duration {
	c := (*Conn)(t)
	at := &c.timeouts().stall
	s := at.Load()
	if s == nil || c.life.hasEnded() {
		return 0
	}
	now, patience := c.settings.wheel.Now(), c.settings.giveUpAfter()
	if c.transport.Pending() == 0 {
		at.CompareAndSwap(s, nil)
		// A writer that ran before the swap saw this stall and started no other: check again.
		if c.transport.Pending() == 0 || !at.CompareAndSwap(nil, s) {
			return 0
		}
		s.since = now
	}
	left := s.left(now, transport.Acknowledged(c.transport), c.settings.wheel.Resumed(), patience)
	if left <= 0 {
		go c.abort(ErrPingTimeout)
		return 0
	}
	return min(patience/stallLooks, left)
}
