package conn

import "sync/atomic"

// sentries are what watches over a connection in states that few connections are ever in. They
// wait on the wheel, so a server with many connections starts no timers.
type sentries struct {
	closing atomic.Pointer[closing] // a closing handshake that somebody else's read has to finish
	stall   atomic.Pointer[stall]   // a peer that takes nothing
	unread  atomic.Pointer[unread]  // a handler that has returned
}

// watchers returns the connection's sentries.
func (c *Conn) watchers() *sentries {
	if s := c.sentries.Load(); s != nil {
		return s
	}
	c.sentries.CompareAndSwap(nil, new(sentries))
	return c.sentries.Load()
}

// dismissSentries takes them off the wheel: the connection has ended. Whoever adds one looks afterwards
// whether it has.
func (c *Conn) dismissSentries() {
	all := c.sentries.Load()
	if all == nil {
		return
	}
	if s := all.closing.Load(); s != nil {
		c.set.wheel.Cancel(&s.entry)
	}
	if s := all.stall.Swap(nil); s != nil {
		c.set.wheel.Cancel(&s.entry)
	}
	if s := all.unread.Load(); s != nil {
		c.set.wheel.Cancel(&s.entry)
	}
}
