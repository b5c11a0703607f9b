package conn

import (
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// keepalive sends a ping after a time without traffic, and ends a connection whose
// peer leaves it unanswered, or takes nothing of what waits for it. Its clock is
// the wheel's: reading it costs a load.
type keepalive struct {
	last    atomic.Int64 // when something was received
	listen  atomic.Int64 // since when somebody waits for bytes; 0: nobody does
	mayPark atomic.Bool  // the reader is Serve, which wants to know of silence
	parking atomic.Bool  // it was told: the read deadline is ours
	message atomic.Int32 // where the one is that somebody waits for, with MinRate; see rate.go
	silent  int64        // since when nothing has come, where a wait was only interrupted; the reader's

	c     *Conn
	entry wheel.Entry

	due atomic.Int64 // when Tick has to look again but for parking; 0: never

	// used by Tick only
	pinged   int64     // when an unanswered ping was sent; 0: none
	sent     int64     // bytes the peer had taken at the last look
	stuck    int64     // since when it has taken none of what is pending; 0: it takes
	measured *measured // with MinRate
}

func (k *keepalive) start(c *Conn) {
	k.c = c
	if first := sooner(c.set.pingInterval, c.set.lookAtRate()); first > 0 {
		c.set.wheel.Schedule(&k.entry, k, first)
		k.heard()
		k.due.Store(k.last.Load() + int64(first))
	}
}

func (k *keepalive) stop() { k.c.set.wheel.Cancel(&k.entry) }

// parkable notes whether the reader is Serve, whose wait is to end after parkAfter.
func (k *keepalive) parkable(yes bool) {
	k.mayPark.Store(yes)
	if yes {
		look := parkAfter
		if due := k.due.Load(); due != 0 {
			look = max(min(look, time.Duration(due-k.c.set.wheel.Now())), wheel.Tick)
		}
		k.c.set.wheel.Schedule(&k.entry, k, look)
		if k.c.ended.Load() != nil {
			k.stop()
		}
	}
}

// heard notes that bytes have come.
func (k *keepalive) heard() { k.last.Store(k.c.set.wheel.Now()) }

// listening notes whether somebody waits for bytes: only then can silence be held
// against the peer. A wait that goes on after an interruption began when it began.
func (k *keepalive) listening(yes bool) {
	if !yes {
		k.listen.Store(0)
		return
	}
	if k.c.set.minRate > 0 {
		k.pace()
	}
	since := k.c.set.wheel.Now() + 1
	if k.silent != 0 {
		if k.last.Load() < k.silent {
			since = k.silent
		} else {
			k.silent = 0
		}
	}
	k.listen.Store(since)
}

// interrupted notes that a wait ended without bytes, to go on.
func (k *keepalive) interrupted() { k.silent = k.listen.Load() }

// Tick looks after the connection. It must not block.
func (k *keepalive) Tick() time.Duration {
	c := k.c
	now := c.set.wheel.Now()
	if c.ended.Load() != nil {
		return 0
	}
	again := sooner(k.ping(now), c.set.lookAtRate())
	if again == 0 {
		k.due.Store(0)
	} else {
		k.due.Store(now + int64(again))
	}
	if c.set.minRate > 0 {
		k.rate(now)
	}
	if !k.mayPark.Load() {
		return again
	}
	since := k.listen.Load()
	if since != 0 && now-since >= int64(parkAfter) {
		k.mayPark.Store(false)
		k.parking.Store(true)
		c.out.forgetCrowd()
		_ = c.t.SetReadDeadline(past)
		return again
	}
	look := parkAfter
	if since != 0 {
		look -= time.Duration(now - since)
	}
	return sooner(again, look)
}

// sooner returns the shorter of two durations of which zero stands for never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ping does what silence calls for, and returns when to look again; 0 for never.
func (k *keepalive) ping(now int64) time.Duration {
	c := k.c
	if c.set.pingInterval == 0 {
		return 0
	}
	timeout := int64(c.set.pongTimeout)
	if k.isStuck(now) && now-k.stuck >= int64(c.set.pingInterval)+timeout {
		go c.abort(ErrPingTimeout)
		return 0
	}
	last := k.last.Load()
	if k.pinged != 0 && last < k.pinged {
		since := max(k.pinged, k.listen.Load())
		if k.listen.Load() == 0 {
			return c.set.pongTimeout // nobody reads: the answer may be here
		}
		if wait := since + timeout - now; wait > 0 {
			return time.Duration(wait)
		}
		go c.abort(ErrPingTimeout)
		return 0
	}
	k.pinged = 0
	if wait := last + int64(c.set.pingInterval) - now; wait > 0 {
		return time.Duration(wait)
	}
	k.pinged = now
	c.out.forgetCrowd()
	if _, seq := c.sendPing(nil); seq != 0 {
		c.kick()
	}
	return c.set.pongTimeout
}

// isStuck watches whether the peer takes what is pending.
func (k *keepalive) isStuck(now int64) bool {
	_, sent := k.c.t.Counts()
	if k.c.t.Pending() == 0 || sent != k.sent {
		k.sent, k.stuck = sent, 0
		return false
	}
	if k.stuck == 0 {
		k.stuck = now
	}
	return true
}
