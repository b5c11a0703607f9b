package conn

import "github.com/seed-c4549abd/wss/frame"

// control handles a control frame that was received (RFC 6455 §5.5). An error ends
// the read in progress.
func (c *Conn) control(ev *frame.Event) error {
	c.num.control.Add(1)
	switch ev.Opcode {
	case frame.Ping:
		if c.pong(ev.Payload) {
			c.kick()
		}
	case frame.Pong:
		if c.png.answered(ev.Payload) {
			c.liv.heard()
		}
	case frame.Close:
		return c.closeReceived(ev.Payload)
	}
	return nil
}

// More than pongsAhead buffered bytes trigger a send. While the transport has unsent bytes, at most
// pongsAheadStuck are buffered; after that only the latest pong is kept.
const (
	pongsAhead      = 8 << 10
	pongsAheadStuck = 4 << 10
)

// pong answers a ping with its payload, and reports whether it is time to send what waits. While the peer
// takes nothing, only the answer to its latest ping is kept (RFC 6455 §5.5.3), so a flood costs nothing.
func (c *Conn) pong(payload []byte) (send bool) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.closed() != nil {
		return false
	}
	c.in.answer = true
	stuck := c.t.Pending() > 0
	if n := len(o.buf) + len(payload) + frame.MaxHeaderSize; stuck && n > pongsAheadStuck || n > gatherCap {
		o.pong = append(o.pong[:0], payload...)
		return false
	}
	c.enter(&frame.Header{Fin: true, Opcode: frame.Pong, Length: int64(len(payload))}, payload)
	return !stuck && len(o.buf) > pongsAhead
}

// enterControl puts a control frame into the outbox, whatever has gathered there,
// and returns the position behind it; zero if nothing may be sent any more.
func (c *Conn) enterControl(op frame.Opcode, payload []byte) (seq int64) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.closed() != nil {
		return 0
	}
	c.enter(&frame.Header{Fin: true, Opcode: op, Length: int64(len(payload))}, payload)
	return o.framed
}
