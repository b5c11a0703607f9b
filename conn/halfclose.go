package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// halfClosed lets what is being sent reach a peer that has ended its stream, since it may have ended
// its direction only. Where a client has said something in the last moment, answers to that may be in
// the making: then other goroutines can still write, until that moment is lingerTimeout ago or the
// client's host refuses what is sent.
func (c *Conn) halfClosed() {
	patience := c.settings.lingerTimeout
	left := patience - time.Duration(c.settings.wheel.Now()-c.keepalive.lastHeard())
	between := !c.in.receiver.Pending() && c.in.r == c.in.w
	if c.in.receiver.Role == frame.Server && between && c.counters.messagesIn.Load() > 0 && c.life.sendErr() == nil && !c.send.insideCompressed() {
		c.send.enqueueControl(frame.Pong, nil) // unsolicited (§5.5.3): it asks the host, not the peer
		c.send.tryFlush()
		for step := 5 * time.Millisecond; left > 0 && !c.refused(); step = min(2*step, 80*time.Millisecond) {
			pause := min(step, left)
			time.Sleep(pause)
			left -= pause
		}
	}
	if !c.send.tryFlushAll() {
		ctx, cancel := within(patience)
		_ = c.send.flush(ctx)
		cancel()
	}
}

// refused reports whether nothing that is sent can reach the peer.
func (c *Conn) refused() bool {
	return c.life.sendErr() != nil || c.life.broken() || transport.Refused(c.transport)
}
