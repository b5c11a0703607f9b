package conn

import "github.com/seed-c4549abd/wss/frame"

// control handles a control frame that was received (RFC 6455 §5.5). An error ends
// the read in progress.
func (c *Conn) control(ev *frame.Event) error {
	c.counters.control.Add(1)
	if b := c.bare(); b != nil {
		return b.control(ev)
	}
	switch ev.Opcode {
	case frame.Ping:
		send, err := c.send.enqueuePong(ev.Payload)
		c.in.answer = c.in.answer || err == nil
		if send {
			c.send.tryFlush()
		}
	case frame.Pong:
		if id, roundTrip, ok := c.pings.answered(ev.Payload); ok {
			c.keepalive.heard()
			if own := c.paceAnswered(id); !own { // those are many, and measure stalls
				c.observeRoundTrip(roundTrip)
			}
		}
	case frame.Close:
		return c.closeReceived(ev.Payload)
	}
	return nil
}
