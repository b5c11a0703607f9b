package conn

import (
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// timeouts are rarely used timers of a connection, allocated on demand. They wait on the wheel, so a server with many
// connections starts no timers of its own.
type timeouts struct {
	close  atomic.Pointer[closeTimeout] // a closing handshake that somebody else's read has to finish
	stall  atomic.Pointer[stall]        // a peer that takes nothing
	unread atomic.Pointer[wheel.Entry]  // a handler that has returned
	pace   atomic.Pointer[pace]         // states that SendLatest holds back
}

// timeouts returns the connection's timeouts.
func (c *Conn) timeouts() *timeouts {
	if s := c.lazyTimeouts.Load(); s != nil {
		return s
	}
	c.lazyTimeouts.CompareAndSwap(nil, new(timeouts))
	return c.lazyTimeouts.Load()
}

// cancelTimeouts takes them off the wheel: the connection has ended. Whoever adds one looks afterwards
// whether it has.
func (c *Conn) cancelTimeouts() {
	all := c.lazyTimeouts.Load()
	if all == nil {
		return
	}
	if s := all.close.Load(); s != nil {
		c.settings.wheel.Cancel(&s.entry)
	}
	if s := all.stall.Swap(nil); s != nil {
		c.settings.wheel.Cancel(&s.entry)
	}
	if entry := all.unread.Load(); entry != nil {
		c.settings.wheel.Cancel(entry)
	}
	if p := all.pace.Load(); p != nil {
		c.settings.wheel.Cancel(&p.entry)
	}
}

// closeTimeout bounds a closing handshake that somebody else's read has to finish.
type closeTimeout struct {
	entry  wheel.Entry
	expire func()
}

// Tick is called when the time is over.
func (t *closeTimeout) Tick() time.Duration {
	go t.expire()
	return 0
}

// boundClosing has expire called after d, unless the connection has ended by then. Only the first call counts.
func (c *Conn) boundClosing(d time.Duration, expire func()) {
	t := &closeTimeout{expire: expire}
	if !c.timeouts().close.CompareAndSwap(nil, t) {
		return
	}
	c.settings.wheel.Schedule(&t.entry, t, d)
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
}
