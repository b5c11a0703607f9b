package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// stall watches a peer that takes nothing of what waits for it, from the moment when our socket
// takes no more. It exists while something waits.
type stall struct {
	c     *Conn
	entry wheel.Entry

	// used by Tick only, after Schedule
	since int64 // since when nothing was taken
	taken int64 // bytes that had been taken then
}

// stallLooks is how often a stall is looked at before the peer is given up.
const stallLooks = 8

// watchStall has the peer watched: something waits for it. The send side's token is held.
func (c *Conn) watchStall() {
	at := &c.timeouts().stall
	if at.Load() != nil {
		return
	}
	s := &stall{c: c, since: c.settings.wheel.Now()}
	s.taken = transport.Acknowledged(c.transport)
	if !at.CompareAndSwap(nil, s) {
		return
	}
	c.settings.wheel.Schedule(&s.entry, s, s.pause())
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
}

func (s *stall) pause() time.Duration { return s.c.settings.giveUpAfter() / stallLooks }

// Tick gives the peer up if it has taken nothing for too long.
func (s *stall) Tick() time.Duration {
	c := s.c
	now := c.settings.wheel.Now()
	taken := transport.Acknowledged(c.transport)
	switch {
	case c.life.hasEnded():
		return 0
	case c.transport.Pending() == 0:
		at := &c.timeouts().stall
		at.CompareAndSwap(s, nil)
		// A writer that ran before the swap saw this stall and started no other: check again.
		if c.transport.Pending() == 0 || !at.CompareAndSwap(nil, s) {
			return 0
		}
		s.since, s.taken = now, taken
	case taken != s.taken:
		s.since, s.taken = now, taken
	}
	left := max(s.since, c.settings.wheel.Resumed()) + int64(c.settings.giveUpAfter()) - now
	if left <= 0 {
		go c.abort(ErrPingTimeout)
		return 0
	}
	return min(s.pause(), time.Duration(left))
}
