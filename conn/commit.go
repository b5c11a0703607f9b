package conn

import (
	"context"
	"runtime"

	"github.com/seed-c4549abd/wss/internal/outbox"
)

// flushTo returns when all up to a position was sent.
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

// commit returns when the frame e was sent, by this goroutine or by another. The lock is held, and released.
func (s *sender) commit(ctx context.Context, e outbox.Entry) error {
	if !s.token.TryLock() {
		w := s.waiters.add(e.End)
		// Whoever had the token may have released it before we were in the list.
		if !s.token.TryLock() {
			s.mu.Unlock()
			return s.await(ctx, e, w)
		}
		s.waiters.remove(w)
		s.waiters.giveBack(w)
	}
	if s.crowded || s.transport.Pending() > 0 {
		s.mu.Unlock()
		return s.lead(ctx, e)
	}
	b := s.outbox.Collect()
	s.mu.Unlock()
	return s.finish(e, s.send(ctx, b))
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
		s.wake() // if it was to send what is there, another has to
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

// lead sends all that is there, e among it. The token is held.
func (s *sender) lead(ctx context.Context, e outbox.Entry) error {
	if s.sent.Load() >= e.End {
		return s.finish(e, nil)
	}
	if s.crowded {
		s.yield()
	}
	return s.finish(e, s.sendAll(ctx))
}

// finish passes the token on after an attempt to send e. If that was cut off before e was collected, e is taken back.
func (s *sender) finish(e outbox.Entry, err error) error {
	s.crowded = s.waiters.any.Load()
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

// yield lets other writers enqueue before what is there is sent, until no more comes: those that were woken by the last
// flush may have more. The token is held, so they will wait. It takes some turns until the scheduler has run them.
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
