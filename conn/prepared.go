package conn

import (
	"context"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// Prepared is a message that is framed once, and compressed once for each set of
// parameters, to be sent to many connections with [Conn.Send]. It does not change,
// and any number of goroutines may use it. The zero value is no message: sending it returns
// ErrMessageType. A connection that queues it keeps a reference, not a copy.
type Prepared struct{ m outbox.Message }

// Prepare makes a message to be sent to many connections. data is copied. The error is
// ErrMessageType, or ErrInvalidUTF8 for text that is not UTF-8.
func Prepare(typ MessageType, data []byte, options ...WriteOption) (*Prepared, error) {
	if err := typ.check(data); err != nil {
		return nil, err
	}
	p := new(Prepared)
	p.m.Init(frame.Opcode(typ), data, isUncompressed(options))
	return p, nil
}

// valid reports whether p was made by Prepare.
func (p *Prepared) valid() bool { return p != nil && p.m.Valid() }

// Type returns the message's type.
func (p *Prepared) Type() MessageType { return MessageType(p.m.Opcode()) }

// Len returns the bytes of the message's payload, uncompressed.
func (p *Prepared) Len() int { return p.m.Len() }

// WritePrepared sends a prepared message as [Conn.Write] does: it waits until the messages queued before it are sent, and returns when
// the kernel has taken all. QueueLimit and WhenFull do not apply. In Serve's callback and in Cork it waits too, and sends what is
// buffered. It may be called by any number of goroutines.
//
// If ctx ends before any byte of the message was sent, the error is that of ctx and the message is not sent. If it ends later, the
// error is an *InterruptedError. The error for the zero Prepared is ErrMessageType.
func (c *Conn) WritePrepared(ctx context.Context, p *Prepared) error {
	if !p.valid() {
		return ErrMessageType
	}
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	c.send.outbox.Encode(&p.m)
	err := c.send.writePrepared(ctx, &p.m)
	if isSent(err) {
		c.observeOut(p.Type(), p.Len())
	}
	return err
}

// writePrepared sends all that is buffered and queued, and then m by itself.
func (s *sender) writePrepared(ctx context.Context, m *outbox.Message) error {
	if done, err := s.sendAlone(ctx, m); done {
		return err
	}
	for {
		if ok, err := s.lock(ctx); !ok {
			return err
		}
		sent, err := s.tryWritePrepared(ctx, m)
		s.unlock()
		if err == outbox.ErrStreaming {
			err = s.awaitFrames(ctx)
		}
		if sent || err != nil {
			return err
		}
	}
}

// tryWritePrepared is writePrepared with the token held. If another writer or a stream came before m, m was not sent, and the
// error is nil or outbox.ErrStreaming: the caller tries again.
func (s *sender) tryWritePrepared(ctx context.Context, m *outbox.Message) (sent bool, err error) {
	if err := s.sendAll(ctx); err != nil {
		if e, ok := resumable(err); ok {
			return false, e.Err // an earlier message was interrupted, not m
		}
		return false, s.life.because(err)
	}
	s.mu.Lock()
	b, err := s.outbox.CollectOnly(m)
	s.mu.Unlock()
	switch err {
	case nil:
		return true, s.send(ctx, b)
	case outbox.ErrClosed:
		return false, s.life.sendErr()
	case outbox.ErrFull:
		return false, nil
	}
	return false, err
}
