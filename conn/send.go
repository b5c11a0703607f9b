package conn

import (
	"context"

	"github.com/seed-c4549abd/wss/internal/outbox"
)

// FullPolicy says what Send does when the outgoing queue is full: when QueueLimit
// bytes wait for a peer that does not take them. The zero value closes.
type FullPolicy uint8

const (
	// CloseWhenFull closes the connection with 1013 (try again later); its error
	// wraps ErrQueueFull. What waits is dropped.
	CloseWhenFull = FullPolicy(outbox.CloseWhenFull)
	// DropWhenFull drops the message that finds no room: Send returns ErrQueueFull, and
	// Stats counts it.
	DropWhenFull = FullPolicy(outbox.DropWhenFull)
	// BlockWhenFull has Send wait until there is room.
	BlockWhenFull = FullPolicy(outbox.BlockWhenFull)
	// ReplaceWhenFull drops the oldest messages that wait, as many as it takes, and Stats counts
	// them; the new one is queued in any case.
	ReplaceWhenFull = FullPolicy(outbox.ReplaceWhenFull)
)

// Send sends prepared messages, in their order, without waiting for the peer. When
// nothing is queued they are written to the socket. The rest is queued, up to QueueLimit bytes, and
// sent as the peer takes data. Several messages share TLS records and system calls, as do those sent by
// different goroutines at the same time, in Serve's callback, or in Cork.
//
// An error says that the connection has ended or that ctx has, or is the ErrQueueFull of
// DropWhenFull; messages before the one that it is about were taken. nil does not say that the peer has
// received anything. Send waits only with BlockWhenFull, until ctx ends. While a [MessageWriter] is open,
// messages queue behind it.
//
// Without [NewListener] below TLS a goroutine sends what Send was given, since
// crypto/tls would wait.
func (c *Conn) Send(ctx context.Context, messages ...*Prepared) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if len(messages) == 1 {
		if done, err := c.sendAlone(messages[0]); done {
			return err
		}
	}
	defer c.send.tryFlushUncorked()
	for _, p := range messages {
		if !p.valid() {
			return ErrMessageType // the zero value is no message
		}
		c.send.outbox.Encode(&p.m)
		if err := c.send.enqueue(ctx, &p.m, ""); err != nil {
			return err
		}
		c.observeOut(p.Type(), p.Len())
	}
	return nil
}

// sendAlone sends p at once and without copying, if nothing else is to be sent; else it is not done.
func (c *Conn) sendAlone(p *Prepared) (done bool, err error) {
	if !p.valid() {
		return false, nil
	}
	c.send.outbox.Encode(&p.m)
	done, err = c.send.sendAlone(expired, &p.m)
	if _, later := resumable(err); later {
		err = nil // a goroutine sends the rest
	}
	if done && err == nil {
		c.observeOut(p.Type(), p.Len())
	}
	return done, err
}

// sendAlone writes m at once and without copying, if nothing else is to be sent; else it is not done. It waits for the socket
// until ctx ends.
func (s *sender) sendAlone(ctx context.Context, m *outbox.Message) (done bool, err error) {
	if s.cork.isOn() || !s.token.TryLock() {
		return false, nil
	}
	defer s.unlock()
	s.mu.Lock()
	var b []byte
	var end int64
	if s.transport.Pending() == 0 {
		b, end = s.outbox.CollectAlone(m)
	}
	s.mu.Unlock()
	if b == nil {
		return false, nil
	}
	if err = s.transport.Write(b, false); err == nil {
		err = s.flushTransport(ctx)
	} else {
		err = s.writeFailed(err)
	}
	if err == nil {
		s.sent.Store(end)
	}
	return true, err
}

// enqueue queues m. It waits only where the policy says so.
func (s *sender) enqueue(ctx context.Context, m *outbox.Message, key string) error {
	for offered := false; ; {
		switch err := s.tryEnqueue(m, key, offered); err {
		case nil:
			return nil
		case outbox.ErrClosed:
			return s.life.sendErr()
		case outbox.ErrOffer:
			s.tryFlush()
			offered = true
		case outbox.ErrWait:
			if _, err := s.awaitEmpty(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// tryEnqueue is Enqueue of the outbox, in this package's errors where they are the caller's.
func (s *sender) tryEnqueue(m *outbox.Message, key string, offered bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.outbox.Enqueue(m, key, s.transport.Pending(), offered)
	if err != outbox.ErrQueueFull {
		return err
	}
	return s.overflow()
}

// overflow is what ErrQueueFull of the outbox is to the caller. If it has closed the outbox, the connection is closing: the
// peer may never take the close frame, and a reader, if there is one, sees its answer. The lock is held.
func (s *sender) overflow() error {
	if !s.outbox.Closed() {
		return ErrQueueFull
	}
	why := &CloseError{Code: outbox.FullCode, Reason: outbox.FullReason, Err: ErrQueueFull}
	s.life.beginClose(why)
	s.cork.serving.Store(notServing)
	s.owner.overflowed(why)
	return why
}

// tryFlushUncorked is tryFlush unless messages are corked.
func (s *sender) tryFlushUncorked() {
	if !s.cork.isOn() {
		s.tryFlush()
		return
	}
	s.mu.Lock()
	s.buffered()
}
