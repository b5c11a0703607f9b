package conn

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
)

// DefaultMaxUnsent is the value of MaxUnsent, in bytes, that the first SendLatest sets if MaxUnsent is zero.
const DefaultMaxUnsent = 16 << 10

// SendLatest is [Conn.Send] for a message that supersedes the previous one with the same key: the state of a game, the price of a
// share. If the previous one is still queued and no byte of it was sent, the new one takes its place in the queue, and
// Stats.Replaced counts it. So a slow peer gets the newest message of each key, and no backlog of old ones. With an
// empty key SendLatest is Send.
//
// A message that was sent cannot be replaced. So the first call bounds the unsent bytes in the kernel to DefaultMaxUnsent,
// unless MaxUnsent says otherwise, and pings measure how far the peer has read: while the answer to one is overdue, after two
// round trips and at least 30 ms, messages of SendLatest stay in the queue, for PingInterval and PongTimeout together at most, until
// another message is sent behind them or a [Conn.Flush] sends them. They do not stay there if no goroutine reads from this
// connection, if the peer has never answered a ping, or if MaxUnsent is negative.
//
// [Conn.WaitDrained] waits until the queue is empty. The observer's MessageOut is called for every message, also for one that
// is replaced later. SendLatest may be called by any number of goroutines. Errors are those of Send.
func (c *Conn) SendLatest(ctx context.Context, key string, p *Prepared) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if !p.valid() {
		return ErrMessageType
	}
	if key == "" {
		return c.Send(ctx, p)
	}
	var ping, hold bool
	pace := c.pace()
	if pace != nil {
		ping, hold = pace.decide(p.Len(), time.Now(), c.keepalive.isReading())
	}
	if !ping && !hold {
		if done, err := c.sendAlone(p); done {
			return err
		}
	}
	c.send.outbox.Encode(&p.m)
	if hold {
		c.send.hold()
	}
	err := c.send.enqueue(ctx, &p.m, key)
	if err == nil {
		c.observeOut(p.Type(), p.Len())
	}
	if ping && !c.send.insideCompressed() {
		pace.sendPing(p.Len(), time.Now(), c.enqueuePing) // control frames are sent before the queue
	}
	if !hold || err != nil || !c.holdBack(pace) {
		c.send.release()
		c.send.tryFlushUncorked()
	}
	return err
}

// WaitDrained waits until nothing is queued: the socket has taken all, and messages of SendLatest are no longer held back for a
// peer that does not read. Call it before you make the next state. As with [Conn.Ping], a goroutine has to read from the
// connection to receive the peer's answer; in a callback, which would block that, WaitDrained returns ErrInCallback. If ctx or the
// connection ends first, the error says so. It may be called by any number of goroutines.
func (c *Conn) WaitDrained(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if inCallback() {
		return ErrInCallback
	}
	for {
		if err := c.awaitRelease(ctx); err != nil {
			return err
		}
		if empty, err := c.send.awaitEmpty(ctx); empty || err != nil {
			return err
		}
	}
}

// awaitRelease waits until states are no longer held back.
func (c *Conn) awaitRelease(ctx context.Context) error {
	all := c.lazyTimeouts.Load()
	if all == nil || all.pace.Load() == nil {
		return nil
	}
	p := all.pace.Load()
	for released := p.whenReleased(); released != nil; released = p.whenReleased() {
		select {
		case <-released:
		case <-ctx.Done():
			return c.life.because(ctx.Err())
		case <-c.life.Done():
			return c.life.err()
		}
	}
	return nil
}

// awaitEmpty waits until others have sent all, which it has them begin with, and reports whether nothing is left; what is left then is
// held back. It writes nothing with ctx: a write that is cancelled may cost the connection.
func (s *sender) awaitEmpty(ctx context.Context) (empty bool, err error) {
	for {
		s.tryFlush()
		if ok, err := s.lock(ctx); !ok {
			return false, err
		}
		s.mu.Lock()
		empty = s.outbox.Empty() && s.transport.Pending() == 0
		held, streaming := s.outbox.Held(), s.outbox.Streaming()
		s.mu.Unlock()
		s.unlock()
		switch {
		case empty || held:
			return empty, nil
		case s.life.broken(), s.life.hasEnded(): // what is left will not be sent
			return false, s.life.sendErr()
		case streaming:
			if err := s.awaitFrames(ctx); err != nil {
				return false, err
			}
		}
	}
}

// pace returns the connection's pace; nil if MaxUnsent turns it off. The first call bounds the unsent bytes in the
// kernel.
func (c *Conn) pace() *pace {
	if c.settings.maxUnsent < 0 || inBrowser {
		return nil
	}
	at := &c.timeouts().pace
	if p := at.Load(); p != nil {
		return p
	}
	if at.CompareAndSwap(nil, new(pace)) && c.settings.maxUnsent == 0 {
		transport.BoundUnsent(c.transport, DefaultMaxUnsent)
	}
	return at.Load()
}

// enqueuePing enqueues a ping without a channel for its answer.
func (c *Conn) enqueuePing() (id uint64, ok bool) {
	id, end := c.sendPing(nil)
	return id, end != 0
}

// holdBack has a queued state wait until the ping is answered. It returns false if the answer has come meanwhile: then the
// caller has to send the state.
func (c *Conn) holdBack(p *pace) bool {
	if !p.isHeld() {
		return false
	}
	c.settings.wheel.Schedule(&p.entry, (*paceTask)(c), paceCheckInterval)
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
	return true
}

// paceAnswered sends the states that were held back until a ping was answered, and reports whether it was a ping of pace's.
func (c *Conn) paceAnswered(id uint64) (own bool) {
	all := c.lazyTimeouts.Load()
	if all == nil {
		return false
	}
	p := all.pace.Load()
	if p == nil {
		return false
	}
	own, held := p.answered(id, time.Now())
	if held {
		c.send.release()
		c.send.tryFlush()
	}
	return own
}

// paceTask checks a connection that holds states back. They are sent when no goroutine reads any more, which would see the
// answer, or when the peer has not answered for as long as keepalive would wait.
type paceTask Conn

// Tick must not block.
func (t *paceTask) Tick() time.Duration {
	c := (*Conn)(t)
	p := c.timeouts().pace.Load()
	if c.life.hasEnded() || !p.isHeld() {
		return 0
	}
	unanswered := p.unanswered(time.Now()) > c.settings.giveUpAfter()
	if c.keepalive.isReading() && !unanswered {
		return paceCheckInterval
	}
	if p.giveUp(unanswered) {
		c.send.release()
		go c.send.tryFlush() // may take longer than a tick is allowed to
	}
	return 0
}

// hold has queued states wait until release, or until a message of another kind is sent behind them.
func (s *sender) hold() {
	s.mu.Lock()
	s.outbox.Hold()
	s.mu.Unlock()
}

// release ends what hold began.
func (s *sender) release() {
	s.mu.Lock()
	s.outbox.Release()
	s.mu.Unlock()
}
