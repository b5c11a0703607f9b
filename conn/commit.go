package conn

import (
	"context"
	"runtime"

	"github.com/seed-c4549abd/wss/internal/outbox"
)

// flushTo sends everything up to a position.
func (s *sender) flushTo(ctx context.Context, end int64) error {
	s.mu.Lock()
	sent, err := s.sent.Load() >= end, s.life.err()
	if sent || err != nil {
		s.mu.Unlock()
		if sent {
			return nil
		}
		return err // nobody would wake us
	}
	return s.commit(ctx, outbox.Entry{End: end})
}

// commit sends the frame e, or waits until another goroutine has. It is called with s.mu held, and releases it.
func (s *sender) commit(ctx context.Context, e outbox.Entry) error {
	if !s.token.TryLock() {
		w := s.waiters.add(e.End)
		// The holder may have released the token before the waiter was listed.
		if !s.token.TryLock() {
			s.mu.Unlock()
			return s.await(ctx, e, w)
		}
		s.waiters.remove(w)
		s.waiters.giveBack(w)
	}
	if s.hadWaiters || s.transport.Pending() > 0 {
		s.mu.Unlock()
		return s.lead(ctx, e)
	}
	b := s.outbox.Collect()
	s.mu.Unlock()
	return s.releaseAfter(e, s.send(ctx, b))
}

// await waits for whoever is sending.
func (s *sender) await(ctx context.Context, e outbox.Entry, w *waiter) error {
	for {
		select {
		case <-w.woken:
		case <-ctx.Done():
			return s.giveUp(ctx, e, w)
		}
		if s.sent.Load() >= e.End {
			s.waiters.giveBack(w)
			return nil
		}
		s.mu.Lock()
		if err := s.life.err(); err != nil {
			s.mu.Unlock()
			return err
		}
		s.waiters.append(w)
		if s.token.TryLock() {
			s.waiters.remove(w)
			s.waiters.giveBack(w)
			s.mu.Unlock()
			return s.lead(ctx, e)
		}
		s.mu.Unlock()
	}
}

// giveUp is for a writer whose context has ended while it waited.
func (s *sender) giveUp(ctx context.Context, e outbox.Entry, w *waiter) error {
	s.mu.Lock()
	waited := s.waiters.remove(w)
	retracted := !s.life.hasEnded() && s.outbox.Retract(e)
	s.mu.Unlock()
	if !waited {
		<-w.woken
		s.wake() // it may have been woken to lead: pass that on
	}
	s.waiters.giveBack(w)
	switch {
	case retracted:
		return ctx.Err()
	case s.sent.Load() >= e.End:
		return nil
	}
	return s.interrupted(ctx.Err())
}

// lead sends the outbox, e included. The token is held.
func (s *sender) lead(ctx context.Context, e outbox.Entry) error {
	if s.sent.Load() >= e.End {
		return s.releaseAfter(e, nil)
	}
	if s.hadWaiters {
		s.yield()
	}
	return s.releaseAfter(e, s.sendAll(ctx))
}

// releaseAfter passes the token on after an attempt to send e. If that was cut off before e was collected, e is taken back.
func (s *sender) releaseAfter(e outbox.Entry, err error) error {
	s.hadWaiters = s.waiters.any.Load()
	if i, ok := resumable(err); ok {
		s.mu.Lock()
		if !s.life.hasEnded() && s.outbox.Retract(e) {
			err = i.Err
		}
		s.mu.Unlock()
	}
	s.unlock()
	return err
}

// yield lets other writers enqueue before the outbox is sent, until it stops growing: writers woken by the last flush may
// write again. The token is held, so they will wait. It takes some turns until the scheduler has run them.
func (s *sender) yield() {
	const most, idle = 16, 3
	before := int64(0)
	for turn, still := 0, 0; turn < most && still < idle; turn++ {
		runtime.Gosched()
		s.mu.Lock()
		if still++; s.outbox.End() != before {
			before, still = s.outbox.End(), 0
		}
		s.mu.Unlock()
	}
}

// wake wakes the writers whose frames were sent, and one of the others to send what is there.
func (s *sender) wake() {
	if !s.waiters.any.Load() {
		return
	}
	s.mu.Lock()
	woken := s.waiters.takeSent(s.sent.Load())
	s.mu.Unlock()
	woken.wake()
}
