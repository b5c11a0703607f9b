package conn

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// flush sends what the transport and the outbox hold, until ctx ends.
func (s *sender) flush(ctx context.Context) error {
	if ok, err := s.lock(ctx); !ok {
		return err
	}
	err := s.sendAll(ctx)
	s.unlock()
	if e, ok := resumable(err); ok {
		return e.Err // the caller enqueued nothing
	}
	if err != nil {
		return s.life.because(err) // this call may have ended the connection
	}
	return nil
}

// tryFlush sends what the socket takes now. If somebody else is sending, they send it along; a goroutine sends what the
// socket does not take. An error shows when the connection is read.
func (s *sender) tryFlush() {
	s.flushWanted.Store(true)
	for s.flushWanted.Load() && s.token.TryLock() {
		s.flushWanted.Store(false)
		err := s.sendAll(expired)
		s.passToken()
		if _, ok := errors.AsType[*InterruptedError](err); err != nil && !ok {
			return
		}
	}
}

// tryFlushAll is tryFlush, and reports whether nothing is left to send.
func (s *sender) tryFlushAll() bool {
	if !s.token.TryLock() {
		return false
	}
	err := s.sendAll(expired)
	s.unlock()
	return err == nil
}

// flushLater starts the goroutine that sends what waits for a slow peer.
func (s *sender) flushLater() {
	if s.flusherRuns.Swap(true) {
		return
	}
	go func() {
		if ok, _ := s.lock(context.Background()); ok {
			s.flusherRuns.Store(false)
			_ = s.sendAll(context.Background())
			s.unlock()
		}
	}()
}

// expired is a context for work that may not wait.
var expired = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// sendAll sends what the transport holds, what is buffered, and what is queued behind it. The token is held. What is
// buffered stays out of the transport as long as that holds something, so that it can be taken back.
func (s *sender) sendAll(ctx context.Context) error {
	if s.life.broken() {
		return s.life.sendErr()
	}
	if s.transport.Pending() > 0 {
		if err := s.flushTransport(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	b := s.outbox.Collect()
	s.mu.Unlock()
	return s.send(ctx, b)
}

// send sends b, and what comes behind it. The token is held.
func (s *sender) send(ctx context.Context, b outbox.Batch) error {
	for {
		if len(b.Frames)+len(b.Long) == 0 {
			bufpool.Put(b.Frames) // every frame was retracted
			if err := s.life.err(); err != nil {
				return err // or was dropped
			}
		} else if err := s.sendBatch(ctx, b); err != nil {
			return err
		}
		s.sent.Store(b.End)
		if !b.More {
			return nil
		}
		s.mu.Lock()
		b = s.outbox.Collect()
		s.mu.Unlock()
	}
}

// sendBatch sends what was collected, and returns its buffer to the pool.
func (s *sender) sendBatch(ctx context.Context, b outbox.Batch) error {
	if len(b.Long) == 0 {
		err := s.transport.Write(b.Frames, false)
		bufpool.Put(b.Frames)
		if err != nil {
			return s.writeFailed(err)
		}
		return s.flushTransport(ctx)
	}
	if b.Masked {
		var h frame.Header
		n, _ := h.Parse(b.Long) // our own: it is whole and in order
		h.Masked, h.Key = true, b.Key
		return s.sendMasked(ctx, &h, nil, b.Long[n:])
	}
	return s.sendParts(ctx, b.Long, partSize(len(b.Long)), partSize(len(b.Long)) < len(b.Long))
}

// flushTransport writes what the transport holds to the socket: immediately if possible, else until ctx ends.
func (s *sender) flushTransport(ctx context.Context) error {
	done, err := s.transport.TryFlush()
	if !done && err == nil {
		s.owner.watchStall()
	}
	for !done && err == nil {
		if err := ctx.Err(); err != nil {
			return s.interrupted(err)
		}
		if err := s.watchContext(ctx); err != nil {
			return s.interrupted(err)
		}
		err = s.transport.Flush()
		switch {
		case err == nil:
			done = true
		case !errors.Is(err, os.ErrDeadlineExceeded):
		case !s.transport.Resumable():
			s.owner.abort(ctx.Err())
			return &InterruptedError{Closed: true, Err: ctx.Err()}
		case ctx.Err() != nil:
			return s.interrupted(ctx.Err())
		default: // a deadline left by somebody else
			err = s.transport.SetWriteDeadline(time.Time{})
		}
	}
	if err != nil {
		return s.writeFailed(err)
	}
	return nil
}

// interrupted starts a goroutine that sends the rest, and returns an *InterruptedError.
func (s *sender) interrupted(err error) error {
	if err := s.life.err(); err != nil {
		return err
	}
	s.flushLater()
	return &InterruptedError{Pending: s.transport.Pending(), Err: err}
}

// writeFailed notes that nothing can be sent any more.
func (s *sender) writeFailed(err error) error {
	s.mu.Lock()
	s.outbox.Break()
	first := s.life.sendBroken(err)
	s.mu.Unlock()
	if first {
		s.owner.sendFailed(err)
	}
	return s.life.sendErr()
}

// breakOff refuses further frames: nothing can be sent any more because of err.
func (s *sender) breakOff(err error) {
	s.mu.Lock()
	s.outbox.Break()
	s.life.sendBroken(err)
	s.mu.Unlock()
}

// resumable returns the error of a write that was interrupted and that goes on.
func resumable(err error) (*InterruptedError, bool) {
	if err == nil {
		return nil, false
	}
	e, ok := errors.AsType[*InterruptedError](err)
	return e, ok && !e.Closed
}

// lock waits for the token. Without it the error says why.
func (s *sender) lock(ctx context.Context) (ok bool, err error) {
	ok, err = s.token.Lock(ctx, s.life)
	if ok {
		return true, nil
	}
	// It may have been ours for a moment: whoever came meanwhile has waited for us.
	s.wake()
	if s.flushWanted.Load() {
		s.tryFlush()
	}
	if s.life.hasEnded() {
		s.forgetContext()
	}
	return false, s.life.because(err)
}

// unlock passes the token on. Frames that came meanwhile and that nobody waits for are sent.
func (s *sender) unlock() {
	s.passToken()
	if s.life.hasEnded() {
		s.forgetContext()
	}
	if s.flushWanted.Load() {
		s.tryFlush()
	}
}

// passToken passes the token on, and wakes those whose frames were sent.
func (s *sender) passToken() {
	s.token.Unlock()
	s.wake()
}

// deadlineContext is a context that ends at its deadline and never before: no function has to be registered with it.
type deadlineContext interface {
	context.Context
	EndsAtDeadline()
}

// watchContext has ctx interrupt sending. The token is held.
func (s *sender) watchContext(ctx context.Context) error {
	if d, ok := ctx.(deadlineContext); ok {
		if s.watch != nil {
			s.watch.clear()
		}
		end, _ := d.Deadline()
		s.deadlineSet = true
		return s.transport.SetWriteDeadline(end)
	}
	if s.deadlineSet {
		s.deadlineSet = false
		_ = s.transport.SetWriteDeadline(time.Time{})
	}
	if s.watch == nil {
		if ctx.Done() == nil {
			return nil
		}
		s.watch = newWatch(s.transport.SetWriteDeadline, s.life, s.owner)
	}
	return s.watch.set(ctx)
}

// forgetContext drops the reference to the last writer's context. If the token is held, its holder does it.
func (s *sender) forgetContext() {
	if s.token.TryLock() {
		s.watch.clear()
		s.token.Unlock()
	}
}

// shut ends our stream when all was sent, and reports whether the peer can see that end.
func (s *sender) shut(ctx context.Context) (visible bool) {
	if ok, _ := s.lock(ctx); !ok {
		return false
	}
	defer s.passToken()
	if s.sendAll(ctx) != nil {
		return false
	}
	// A context that has ended meanwhile, as that of the close frame has, must not cut it off.
	s.watch.clear()
	s.transport.Notify()
	return s.flushTransport(ctx) == nil && s.transport.Shut() == nil
}

// tryNotify tells the peer that our stream ends, if notify, and sends what TLS may have to say of the end, unless somebody
// else is sending.
func (s *sender) tryNotify(notify bool) {
	if !s.token.TryLock() {
		return
	}
	defer s.passToken()
	s.watch.clear() // a context that has ended must not cut it off
	if notify {
		s.transport.Notify()
	}
	_, _ = s.transport.TryFlush()
}
