package conn

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/token"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// sender is the send side of a connection. Frames are enqueued in its outbox, and whoever has its token sends all that is
// there (group commit): writers that meet share one TLS record and one system call.
//
// It has three verbs: enqueue (into our memory), tryFlush (what the socket takes now) and flush (until a context ends).
// The lock is held for enqueuing and collecting, the token for everything that touches the transport.
type sender struct {
	t     transport.Conn
	life  *life
	owner sendOwner

	mu      sync.Mutex
	outbox  outbox.Outbox // guarded by mu
	waiters waiters       // writers whose frames somebody else sends
	sent    atomic.Int64  // position in the outbox up to which all was sent

	token   token.Token // its holder alone uses the transport's send side
	watch   *watch      // the token's holder's; nil until a context can end
	unsent  atomic.Bool // frames came whose writers do not wait
	later   atomic.Bool // a goroutine is sending what a cancelled write left
	crowded bool        // somebody waited when something was last sent; the token's holder's

	cork   cork
	stream token.Token // held while a message is being streamed, or sent in parts
}

// sendOwner is what the send side tells its connection.
type sendOwner interface {
	// stalled: the socket takes no more, and something waits for it.
	stalled()
	// sendFailed: nothing can be sent any more because of err. It is called once.
	sendFailed(err error)
	// overflowed: the connection is closing because of why, as its queue is full. The send side's lock is held.
	overflowed(why *CloseError)
	// abort: the stream is broken off within a frame, or cannot be interrupted otherwise.
	abort(cause error) *CloseError
}

// init makes the send side of c ready, with a response to the handshake before everything else.
func (s *sender) init(c *Conn, response []byte) {
	s.t, s.life, s.owner = c.t, &c.life, c
	s.cork.timer = c.set.corkTimer
	var d *deflate.Compressor
	if c.zip != nil {
		d = &c.zip.send
	}
	s.outbox = outbox.New(c.role, &c.set.outbox, d, response)
}

// message enqueues a message of at most outbox.MaxCopied bytes, and returns when it was sent. While messages are corked it
// returns at once. If ctx ends before anything of it was sent, the message is taken back.
func (s *sender) message(ctx context.Context, op frame.Opcode, p []byte, compress bool) error {
	for {
		s.mu.Lock()
		e, err := s.outbox.Append(op, p, compress)
		switch {
		case err == outbox.ErrClosed:
			s.mu.Unlock()
			return s.life.closed()
		case err != nil:
			s.mu.Unlock()
			if err = s.awaitRoom(ctx, err); err != nil {
				return err
			}
			continue
		case s.cork.isOn():
			s.startCorkTimer()
			s.mu.Unlock()
			return nil
		}
		return s.commit(ctx, e)
	}
}

// awaitRoom waits until what the outbox has refused with err may be tried again.
func (s *sender) awaitRoom(ctx context.Context, err error) error {
	if err == outbox.ErrStreaming {
		return s.awaitStream(ctx)
	}
	return s.flush(ctx)
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
	if s.crowded || s.t.Pending() > 0 {
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
	if retracted {
		return ctx.Err()
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

// sendAll sends what the transport holds, what is buffered, and what is queued behind it. The token is held. What is
// buffered stays out of the transport as long as that holds something, so that it can be taken back.
func (s *sender) sendAll(ctx context.Context) error {
	if s.life.broken() {
		return s.life.closed()
	}
	if s.t.Pending() > 0 {
		if err := s.drain(ctx); err != nil {
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
			bufpool.Put(b.Frames) // all of it was taken back
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

// drain writes what the transport holds to the socket: at once if that takes it, else for as long as ctx lives.
func (s *sender) drain(ctx context.Context) error {
	done, err := s.t.TryFlush()
	if !done && err == nil {
		s.owner.stalled()
	}
	for !done && err == nil {
		if err := ctx.Err(); err != nil {
			return s.interrupted(err)
		}
		if err := s.watchContext(ctx); err != nil {
			return s.interrupted(err)
		}
		err = s.t.Flush()
		switch {
		case err == nil:
			done = true
		case !errors.Is(err, os.ErrDeadlineExceeded):
		case !s.t.Resumable():
			s.owner.abort(ctx.Err())
			return &InterruptedError{Closed: true, Err: ctx.Err()}
		case ctx.Err() != nil:
			return s.interrupted(ctx.Err())
		default: // a deadline left by somebody else
			err = s.t.SetWriteDeadline(time.Time{})
		}
	}
	if err != nil {
		return s.failed(err)
	}
	return nil
}

// interrupted leaves the rest of what was being sent to a goroutine that exists only until it was sent.
func (s *sender) interrupted(err error) error {
	if err := s.life.err(); err != nil {
		return err
	}
	s.flushLater()
	return &InterruptedError{Pending: s.t.Pending(), Err: err}
}

// failed notes that nothing can be sent any more.
func (s *sender) failed(err error) error {
	s.mu.Lock()
	s.outbox.Shut()
	first := s.life.fail(err)
	s.mu.Unlock()
	if first {
		s.owner.sendFailed(err)
	}
	return s.life.closed()
}

// close enqueues the close frame of why, once: nothing is enqueued behind it (RFC 6455 §5.5.1), and writes return why from
// now on. It reports whether there was none yet. An answer to the peer's repeats its code without its reason.
func (s *sender) close(why *CloseError) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.closed() != nil {
		return false
	}
	reason := why.Reason
	if why.Remote {
		reason = ""
	}
	// What is queued is still sent before a close of our own (§5.5.1 lets us wait); after the peer's, or an error, nobody
	// would look at it.
	own := why.Err == net.ErrClosed
	if !s.outbox.Close(why.Code, reason, own) {
		return false
	}
	s.life.close(why)
	s.cork.serving.Store(false)
	return true
}

// control enqueues a ping or a pong, and returns the position behind it; zero if nothing may be sent any more.
func (s *sender) control(op frame.Opcode, payload []byte) (end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, _ = s.outbox.Control(op, payload)
	return end
}

// shutStream ends our stream when all was sent, and reports whether the peer can see that end.
func (s *sender) shutStream(ctx context.Context) (visible bool) {
	if ok, _ := s.lock(ctx); !ok {
		return false
	}
	defer s.release()
	// A close frame of our own may wait still: whoever sends it waits as we did.
	if s.sendAll(ctx) != nil {
		return false
	}
	// A context that has ended meanwhile, as that of the close frame has, must not cut it off.
	s.watch.clear()
	s.t.Notify()
	return s.drain(ctx) == nil && s.t.Shut() == nil
}

// tryNotify tells the peer that our stream ends, if notify, and sends what TLS may have to say of the end, unless somebody
// else is sending.
func (s *sender) tryNotify(notify bool) {
	if !s.token.TryLock() {
		return
	}
	defer s.release()
	s.watch.clear() // a context that has ended must not cut it off
	if notify {
		s.t.Notify()
	}
	_, _ = s.t.TryFlush()
}

// flushTo returns when all up to a position was sent.
func (s *sender) flushTo(ctx context.Context, end int64) error {
	s.mu.Lock()
	if s.sent.Load() >= end {
		s.mu.Unlock()
		return nil
	}
	return s.commit(ctx, outbox.Entry{End: end})
}

// pong enqueues the answer to a ping, and reports whether it is time to send.
func (s *sender) pong(payload []byte) (send bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Pong(payload, s.t.Pending() > 0)
}

// flush sends everything that is there.
func (s *sender) flush(ctx context.Context) error {
	if ok, err := s.lock(ctx); !ok {
		return err
	}
	err := s.sendAll(ctx)
	s.unlock()
	if e, ok := resumable(err); ok {
		return e.Err // nothing of the caller's was among it
	}
	if err != nil {
		return s.life.because(err) // the end may be of this call's own doing
	}
	return nil
}

// tryFlush sends what the socket takes now. If somebody else is sending, they send it along; a goroutine sends what the
// socket does not take. An error shows when the connection is read.
func (s *sender) tryFlush() {
	s.unsent.Store(true)
	for s.unsent.Load() && s.token.TryLock() {
		s.unsent.Store(false)
		err := s.sendAll(expired)
		s.release()
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
	if s.later.Swap(true) {
		return
	}
	go func() {
		if ok, _ := s.lock(context.Background()); ok {
			s.later.Store(false)
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

// lock waits for the token. Without it the error says why.
func (s *sender) lock(ctx context.Context) (ok bool, err error) {
	ok, err = s.token.Lock(ctx, s.life)
	if ok {
		return true, nil
	}
	if s.life.hasEnded() {
		s.forgetContext()
	}
	return false, s.life.because(err)
}

// unlock passes the token on. Frames that came meanwhile and that nobody waits for are sent.
func (s *sender) unlock() {
	s.release()
	if s.life.hasEnded() {
		s.forgetContext()
	}
	if s.unsent.Load() {
		s.tryFlush()
	}
}

// release passes the token on, and wakes those whose frames were sent.
func (s *sender) release() {
	s.token.Unlock()
	s.wake()
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

// watchContext has ctx interrupt sending. The token is held.
func (s *sender) watchContext(ctx context.Context) error {
	if s.watch == nil {
		if ctx.Done() == nil {
			return nil
		}
		s.watch = newWatch(s.t.SetWriteDeadline, s.life, s.owner)
	}
	return s.watch.set(ctx)
}

// forgetContext drops the reference to the last writer's context, unless somebody is sending, who does it then.
func (s *sender) forgetContext() {
	if s.token.TryLock() {
		s.watch.clear()
		s.token.Unlock()
	}
}

// drop gives back what the send side holds, and wakes everybody: the connection has ended.
func (s *sender) drop() {
	s.mu.Lock()
	s.outbox.Drop()
	woken := s.waiters.takeAll()
	s.mu.Unlock()
	woken.wake()
	s.forgetContext()
}

// forgetWaiters frees what is kept for writers that meet: the connection is silent.
func (s *sender) forgetWaiters() {
	s.mu.Lock()
	s.waiters.forget()
	s.mu.Unlock()
}

// pending returns the bytes that wait for the peer.
func (s *sender) pending() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Len() + s.t.Pending()
}

// counts returns what was enqueued, and what waits for the peer.
func (s *sender) counts() (c outbox.Counts, pending int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Counts(), s.outbox.Len() + s.t.Pending()
}

// resumable returns the error of a write that was interrupted and that goes on.
func resumable(err error) (*InterruptedError, bool) {
	if err == nil {
		return nil, false
	}
	e, ok := errors.AsType[*InterruptedError](err)
	return e, ok && !e.Closed
}
