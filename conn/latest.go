package conn

import (
	"context"

	"github.com/seed-c4549abd/wss/internal/transport"
)

// DefaultMaxUnsent is MaxUnsent of connections that SendLatest is used on, if it is zero, in bytes.
const DefaultMaxUnsent = 16 << 10

// SendLatest is Send of a message that makes the one of the same key before it worthless: the state of a game, the price of a
// share. If that one is still queued, and has not begun to be sent, the new one takes its place in the order, and
// Stats.Replaced counts it. So a peer that takes its time gets the newest of each key, and never a backlog of old ones. An
// empty key is none: then it is Send.
//
// What the kernel has taken cannot be replaced, so the first call bounds that by DefaultMaxUnsent, unless MaxUnsent says
// otherwise. Flush returns when nothing is queued any more. MessageOut is called for every message, whether it will be
// replaced or not. Errors are those of Send.
func (c *Conn) SendLatest(ctx context.Context, key string, p *Prepared) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if !c.send.unsentBounded.Swap(true) && c.settings.maxUnsent == 0 {
		transport.BoundUnsent(c.transport, DefaultMaxUnsent)
	}
	if done, err := c.sendAlone(p); done {
		return err
	}
	if !p.m.Valid() {
		return ErrMessageType // the zero value is no message
	}
	defer c.send.tryFlushUncorked()
	c.send.outbox.Encode(&p.m)
	if err := c.send.enqueue(ctx, &p.m, key); err != nil {
		return err
	}
	c.observeOut(p.Type(), p.Len())
	return nil
}
