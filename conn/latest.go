package conn

import "context"

// DefaultMaxUnsent is MaxUnsent of connections that SendLatest is used on, if it is zero, in bytes.
const DefaultMaxUnsent = 16 << 10

// SendLatest is Send of a message that makes the one of the same key before it worthless: the state of a game, the price of a
// share. If that one is still queued, and has not begun to be sent, the new one takes its place in the order, and
// Stats.Replaced counts it. So a peer that takes its time gets the newest of each key, and never a backlog of old ones. An
// empty key is none: then it is Send.
//
// What was sent cannot be replaced. So the first call bounds what the kernel holds by DefaultMaxUnsent, unless MaxUnsent says
// otherwise, and pings show how far the peer has read: while the answer to one is overdue, by two round trips and 30 ms at least,
// messages of SendLatest stay in the queue, unless a message of another kind is sent behind them. That is so only while
// somebody reads from this connection, if the peer has ever answered a ping, and unless MaxUnsent is negative.
//
// [Conn.WaitDrained] returns when nothing is queued any more. MessageOut is called for every message,
// whether it will be replaced or not. Errors are those of Send.
func (c *Conn) SendLatest(ctx context.Context, key string, p *Prepared) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if !p.m.Valid() {
		return ErrMessageType // the zero value is no message
	}
	if key == "" {
		return c.Send(ctx, p)
	}
	var pinged, hold bool
	pace := c.pace()
	if pace != nil {
		pinged, hold = c.paceState(pace, p.Len())
	}
	if !pinged && !hold {
		if done, err := c.sendAlone(p); done {
			return err
		}
	}
	c.send.outbox.Encode(&p.m)
	err := c.send.enqueue(ctx, &p.m, key)
	if err == nil {
		c.observeOut(p.Type(), p.Len())
	}
	if !hold || err != nil || !c.leave(pace) {
		c.send.tryFlushUncorked()
	}
	return err
}
