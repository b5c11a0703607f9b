package conn

import (
	"context"
	"slices"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// WriteOption changes how a message is sent.
type WriteOption uint8

// Uncompressed has a message sent uncompressed although compression was agreed on: one that holds a secret
// beside text that somebody else chose (docs/security.md). Without compression it changes nothing.
const Uncompressed WriteOption = 1

func isUncompressed(options []WriteOption) bool { return slices.Contains(options, Uncompressed) }

// Write sends p as one message and returns when the kernel has taken it. Text that is
// not UTF-8 is ErrInvalidUTF8, and nothing of it is sent (RFC 6455 §5.6). p is not kept.
//
// Writes of several goroutines do not mix, and are sent in the order in which they were
// enqueued. In Serve's callback Write returns earlier: see [Conn.Serve].
//
// When ctx ends first and nothing of the message was sent, the error is ctx's and
// the message is forgotten. Otherwise it is an *InterruptedError; so it is, too, when
// the message was compressed with context takeover, which cannot be undone.
func (c *Conn) Write(ctx context.Context, typ MessageType, p []byte, options ...WriteOption) error {
	err := typ.check(p)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	compress := c.compression.wants(len(p)) && !isUncompressed(options)
	if op := frame.Opcode(typ); len(p) <= outbox.MaxCopied {
		err = c.send.sendMessage(ctx, op, p, compress)
	} else {
		err = c.send.sendLongMessage(ctx, op, p, compress)
	}
	if isSent(err) {
		c.observeOut(typ, len(p))
	}
	return err
}

// Flush sends what was written in Serve's callback, or since Cork, or is held back by SendLatest, and returns when the
// kernel has taken it. Elsewhere there is hardly ever anything to send.
func (c *Conn) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	c.send.release()
	return c.send.flush(ctx)
}

// Cork calls f, and has the messages buffered that are written to the connection meanwhile, by f or by others: they
// share TLS records and system calls. When f returns they are sent, without waiting for the peer, unless another Cork or
// Serve still buffers. While f runs, Write of up to 16 KiB returns at once. What is buffered is sent earlier when it
// reaches 68 KiB, when the input of Serve is handled, and after ten to twenty milliseconds. f may call Cork.
//
// Cork returns f's error, or says how the connection has ended or that it is closing.
func (c *Conn) Cork(f func() error) error {
	c.send.cork.calls.Add(1)
	defer c.uncork()
	if err := f(); err != nil {
		return err
	}
	return c.life.sendErr()
}

// uncork sends what was buffered, unless somebody else corks.
func (c *Conn) uncork() {
	if c.send.cork.calls.Add(-1) == 0 && !c.send.cork.isOn() {
		c.send.tryFlush()
	}
}
