package conn

import "sync/atomic"

// timeouts are what watches over a connection in states that few connections are ever in. They
// wait on the wheel, so a server with many connections starts no timers.
type timeouts struct {
	closing atomic.Pointer[closing] // a closing handshake that somebody else's read has to finish
	stall   atomic.Pointer[stall]   // a peer that takes nothing
	unread  atomic.Pointer[unread]  // a handler that has returned
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
	if s := all.closing.Load(); s != nil {
		c.settings.wheel.Cancel(&s.entry)
	}
	if s := all.stall.Swap(nil); s != nil {
		c.settings.wheel.Cancel(&s.entry)
	}
	if s := all.unread.Load(); s != nil {
		c.settings.wheel.Cancel(&s.entry)
	}
}
