package conn

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/frame"
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
	transport transport.Conn
	life      *life
	owner     sendOwner

	mu      sync.Mutex
	outbox  outbox.Outbox // guarded by mu
	waiters waiters       // writers whose frames somebody else sends
	sent    atomic.Int64  // position in the outbox up to which all was sent

	token       token.Token // its holder alone uses the transport's send side
	watch       *watch      // the token's holder's; nil until a context can end
	flushWanted atomic.Bool // frames came whose writers do not wait
	flusherRuns atomic.Bool // a goroutine is about to send what a cancelled write left
	hadWaiters  bool        // somebody waited when something was last sent; the token's holder's
	corkListed  bool        // in the cork timer's list; guarded by mu
	deadlineSet bool        // the transport has the write deadline of a deadlineContext; the token's holder's

	cork       cork
	framesTurn token.Token // held while a message is being streamed, or sent in parts
}

// sendOwner is what the send side tells its connection.
type sendOwner interface {
	// watchStall: the socket takes no more, and something waits for the peer.
	watchStall()
	// sendFailed: nothing can be sent any more because of err. It is called once.
	sendFailed(err error)
	// overflowed: the connection is closing because of why, as its queue is full. The send side's lock is held.
	overflowed(why *CloseError)
	// abort: the stream is broken off within a frame, or cannot be interrupted otherwise.
	abort(cause error) *CloseError
}

// init makes the send side ready: t takes what o holds, for as long as l lasts.
func (s *sender) init(t transport.Conn, l *life, owner sendOwner, o outbox.Outbox, timer *corkTimer) {
	s.transport, s.life, s.owner, s.outbox, s.cork.timer = t, l, owner, o, timer
}

// sendMessage enqueues a message of at most outbox.MaxCopied bytes, and returns when it was sent; while messages are corked
// or Serve handles one, at once. If ctx ends before anything of it was sent, the message is taken back.
func (s *sender) sendMessage(ctx context.Context, op frame.Opcode, p []byte, compress bool) error {
	for {
		s.mu.Lock()
		e, err := s.outbox.Append(op, p, compress)
		switch {
		case err == outbox.ErrClosed:
			s.mu.Unlock()
			return s.life.sendErr()
		case err != nil:
			s.mu.Unlock()
			if err = s.awaitRoom(ctx, err); err != nil {
				return err
			}
			continue
		case s.cork.isOn():
			s.buffered()
			return nil
		case s.cork.serving.Load() == lastInput:
			s.mu.Unlock()
			s.tryFlush()
			return nil
		}
		return s.commit(ctx, e)
	}
}

// buffered has what is corked sent by whoever uncorks, or by the cork timer. The lock is held, and released.
func (s *sender) buffered() {
	s.flushWanted.Store(true)
	s.startCorkTimer()
	on := s.cork.isOn()
	s.mu.Unlock()
	if !on { // whoever uncorked meanwhile may not have seen it
		s.tryFlush()
	}
}

// awaitRoom waits until Append may be retried after err.
func (s *sender) awaitRoom(ctx context.Context, err error) error {
	if err == outbox.ErrStreaming {
		return s.awaitFrames(ctx)
	}
	return s.flush(ctx)
}

// enqueueClose enqueues the close frame of why, once: nothing is enqueued behind it (RFC 6455 §5.5.1), and writes return why from
// now on. It reports whether there was none yet. An answer to the peer's repeats its code without its reason.
func (s *sender) enqueueClose(why *CloseError) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.sendErr() != nil {
		return false
	}
	reason := why.Reason
	if why.Remote {
		reason = ""
	}
	// Queued messages are sent before a close frame of our own (§5.5.1 allows that); after the peer's close frame or an
	// error they would not be read.
	own := why.Err == net.ErrClosed
	if !s.outbox.Close(why.Code, reason, own) {
		return false
	}
	s.life.beginClose(why)
	s.cork.serving.Store(notServing)
	return true
}

// enqueueControl enqueues a ping or a pong, and returns the position behind it; zero if nothing may be sent any more.
func (s *sender) enqueueControl(op frame.Opcode, payload []byte) (end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, _ = s.outbox.Control(op, payload)
	return end
}

// enqueuePong enqueues the answer to a ping, and reports whether it is time to send.
func (s *sender) enqueuePong(payload []byte) (send bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Pong(payload, s.transport.Pending() > 0)
}

// drop returns the send side's memory to the pool, and wakes all waiters: the connection has ended.
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

// insideCompressed reports whether a ping that is enqueued now would be sent between fragments of a compressed message.
func (s *sender) insideCompressed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.InsideCompressed()
}

// pending returns the bytes that wait for the peer.
func (s *sender) pending() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Len() + s.transport.Pending()
}

// counts returns what was enqueued, and what waits for the peer.
func (s *sender) counts() (c outbox.Counts, pending int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.Counts(), s.outbox.Len() + s.transport.Pending()
}
