package conn

import (
	"context"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// Write sends p as one message and returns when the kernel has taken it. Text that is
// not UTF-8 is ErrInvalidUTF8, and nothing of it is sent (RFC 6455 §5.6). p is not kept.
//
// Writes of several goroutines do not mix, and are sent in the order in which they were
// enqueued. In Serve's callback Write returns earlier: see [Conn.Serve].
//
// When ctx ends first and nothing of the message was sent, the error is ctx's and
// the message is forgotten. Otherwise it is an *InterruptedError; so it is, too, when
// the message was compressed with context takeover, which cannot be undone.
func (c *Conn) Write(ctx context.Context, typ MessageType, p []byte) error {
	return c.write(ctx, typ, p, c.compression.wants(len(p)))
}

// WriteUncompressed is Write for a message that must not be compressed although
// compression was agreed on: one that holds a secret beside text that somebody else
// chose (docs/security.md). Without compression it is the same as Write.
func (c *Conn) WriteUncompressed(ctx context.Context, typ MessageType, p []byte) error {
	return c.write(ctx, typ, p, false)
}

func (c *Conn) write(ctx context.Context, typ MessageType, p []byte, compress bool) error {
	err := typ.check(p)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if op := frame.Opcode(typ); len(p) <= outbox.MaxCopied {
		err = c.send.message(ctx, op, p, compress)
	} else {
		err = c.send.longMessage(ctx, op, p, compress)
	}
	if isSent(err) {
		c.observeOut(typ, len(p))
	}
	return err
}

// Flush sends what was written in Serve's callback, or since Cork, and returns when the
// kernel has taken it. Elsewhere there is hardly ever anything to send.
func (c *Conn) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	return c.send.flush(ctx)
}

// Cork has messages of Write and Send buffered until Uncork: they share TLS records and
// system calls. Write returns at once then. What is buffered is sent earlier when it
// reaches 68 KiB, when the input of Serve is handled, and after ten or twenty
// milliseconds.
// Corks nest: the last Uncork counts.
func (c *Conn) Cork() { c.send.cork.calls.Add(1) }

// Uncork ends Cork and sends what is buffered, without waiting for the peer: the
// error is the connection's. It panics without Cork.
func (c *Conn) Uncork() error {
	switch n := c.send.cork.calls.Add(-1); {
	case n < 0:
		panic("websocket: Uncork without Cork")
	case n == 0 && !c.send.cork.isOn():
		c.send.tryFlush()
	}
	return c.life.closed()
}
