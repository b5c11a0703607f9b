package conn

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/mask"
)

// gatherCap is how many bytes of frames gather before somebody has to send them;
// a message longer than gatherMax does not gather.
const (
	gatherCap = 64 << 10
	gatherMax = 16 << 10
)

// outbox is the send side of a connection: frames gather in buf, and whoever gets
// the token sends all of them (group commit). So writers that meet share one TLS
// record and one system call.
type outbox struct {
	tok   token // its holder alone uses the transport's send side
	msg   token // held while a message is being streamed, or sent in parts
	watch watch // used by tok's holder

	mu     sync.Mutex
	buf    []byte // borrowed; frames that have not been given to the transport
	framed int64  // bytes that ever entered buf
	stream bool   // a MessageWriter is open: no other data frame may enter
	pong   []byte // an answer that found buf full; only the latest counts

	closing atomic.Pointer[CloseError] // a close frame is in: none may follow

	cork cork // see serve.go

	sent    atomic.Int64 // bytes of framed that are with the kernel
	kicked  atomic.Bool  // frames came whose writers do not wait
	corked  atomic.Bool  // Serve is handling input: replies gather
	drained atomic.Bool  // a goroutine is sending what a cancelled write left
}

func (o *outbox) init(deadline func(time.Time) error) {
	o.tok, o.msg = newToken(), newToken()
	o.watch.interrupt = deadline
}

// Write sends p as one message and returns when the kernel has taken it. Text must
// be UTF-8; the peer would fail the connection otherwise. p is not kept.
//
// Writes of several goroutines do not mix, and leave in the order in which they
// gathered. In Serve's callback Write returns earlier: see [Conn.Serve].
//
// When ctx ends first and nothing of the message was sent, the error is ctx's and
// the message is forgotten. Otherwise it is an *InterruptedError.
func (c *Conn) Write(ctx context.Context, typ MessageType, p []byte) error {
	if !typ.valid() {
		return ErrMessageType
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if len(p) <= gatherMax {
		err = c.writeGathered(ctx, frame.Opcode(typ), p)
	} else {
		err = c.writeLarge(ctx, frame.Opcode(typ), p)
	}
	if err == nil {
		c.num.wrote(len(p))
	}
	return err
}

// writeGathered puts a whole message into the outbox and sees to it that it leaves.
func (c *Conn) writeGathered(ctx context.Context, op frame.Opcode, p []byte) error {
	o := &c.out
	h := frame.Header{Fin: true, Opcode: op, Length: int64(len(p))}
	for {
		seq, held, err := c.gather(&h, p)
		if err != nil {
			return err
		}
		if seq > 0 {
			return c.commit(ctx, seq, int64(c.frameSize(&h)))
		}
		// No room, or a message is being streamed: wait for either, then again.
		if held {
			if ok, err := o.msg.lock(ctx, c.done()); err != nil {
				return err
			} else if ok {
				o.msg.unlock()
			}
		} else if err := c.flushAll(ctx); err != nil {
			return err
		}
	}
}

func (c *Conn) frameSize(h *frame.Header) int {
	n := h.Size() + int(h.Length)
	if c.role == frame.Client && !h.Masked {
		n += len(h.Key)
	}
	return n
}

// gather appends a data frame to the outbox and returns the position behind it;
// zero if it has to wait, and then whether for a streamed message or for room.
func (c *Conn) gather(h *frame.Header, p []byte) (seq int64, held bool, err error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := c.closed(); err != nil {
		return 0, false, err
	}
	switch {
	case o.stream:
		return 0, true, nil
	case len(o.buf) > 0 && len(o.buf)+c.frameSize(h) > gatherCap:
		return 0, false, nil
	}
	c.enter(h, p)
	return o.framed, false, nil
}

// enter appends a frame to the outbox, masked if this side has to. o.mu is held.
func (c *Conn) enter(h *frame.Header, p []byte) {
	o := &c.out
	before := len(o.buf)
	o.reserve(before + len(p) + frame.MaxHeaderSize)
	if c.role == frame.Client {
		h.Masked, h.Key = true, mask.NewKey()
	}
	o.buf = h.Append(o.buf)
	n := len(o.buf)
	o.buf = o.buf[:n+len(p)]
	if h.Masked {
		mask.Copy(o.buf[n:], p, h.Key, 0)
	} else {
		copy(o.buf[n:], p)
	}
	o.framed += int64(len(o.buf) - before)
}

// reserve makes buf's capacity at least n.
func (o *outbox) reserve(n int) {
	if n <= cap(o.buf) {
		return
	}
	b := bufpool.Get(n)
	k := copy(b, o.buf)
	bufpool.Put(o.buf)
	o.buf = b[:k]
}

// commit returns when all up to seq is with the kernel; the writer whose frame of
// size bytes ends there is waiting.
func (c *Conn) commit(ctx context.Context, seq, size int64) error {
	o := &c.out
	if o.corked.Load() {
		c.gathering()
		return nil
	}
	for o.sent.Load() < seq {
		ok, err := o.tok.lock(ctx, c.done())
		switch {
		case err != nil && c.retract(seq, size):
			return err
		case err != nil:
			return c.interrupted(err)
		case !ok:
			return c.err()
		}
		if o.sent.Load() < seq {
			err = c.flush(ctx)
			if e, ok := resumable(err); ok && c.retract(seq, size) {
				err = e.Err
			}
		}
		c.unlockWrite()
		if err != nil {
			return err
		}
	}
	return nil
}

// retract takes the last frame out again, if nobody has sent it or gathered behind.
// A control frame, of size 0 here, stays.
func (c *Conn) retract(seq, size int64) bool {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if size == 0 || o.framed != seq || int64(len(o.buf)) < size || c.closed() != nil {
		return false
	}
	o.buf = o.buf[:int64(len(o.buf))-size]
	o.framed -= size
	return true
}

// flush sends what is left from before and what has gathered. o.tok is held. What
// has gathered stays out of the transport's queue as long as that is not empty, so
// that it can be taken back.
func (c *Conn) flush(ctx context.Context) error {
	o := &c.out
	if c.t.Pending() > 0 {
		if err := c.push(ctx); err != nil {
			return err
		}
	}
	o.mu.Lock()
	b, seq := o.buf, o.framed
	o.buf = nil
	if len(o.pong) > 0 && c.closed() == nil {
		o.buf = b
		h := frame.Header{Fin: true, Opcode: frame.Pong, Length: int64(len(o.pong))}
		c.enter(&h, o.pong)
		o.pong = o.pong[:0]
		b, seq, o.buf = o.buf, o.framed, nil
	}
	o.mu.Unlock()
	if len(b) > 0 {
		if err := c.t.Write(b); err != nil {
			bufpool.Put(b)
			return c.sendFailed(err)
		}
	}
	bufpool.Put(b)
	if err := c.push(ctx); err != nil {
		return err
	}
	o.sent.Store(seq)
	return nil
}

// push gives the kernel what the transport holds: at once if it can, else for as
// long as ctx lives.
func (c *Conn) push(ctx context.Context) error {
	done, err := c.t.TryFlush()
	for !done && err == nil {
		if err := ctx.Err(); err != nil {
			return c.interrupted(err)
		}
		if err := c.out.watch.set(ctx); err != nil {
			return c.interrupted(err)
		}
		err = c.t.Flush()
		switch {
		case err == nil:
			done = true
		case !errors.Is(err, os.ErrDeadlineExceeded):
		case !c.t.Resumable():
			return c.torn(ctx.Err())
		case ctx.Err() != nil:
			return c.interrupted(ctx.Err())
		default: // a deadline left by somebody else
			err = c.t.SetWriteDeadline(time.Time{})
		}
	}
	if err != nil {
		return c.sendFailed(err)
	}
	return nil
}

// interrupted leaves the rest of what was being sent to a goroutine that exists
// only until it is gone.
func (c *Conn) interrupted(err error) error {
	c.kickLater()
	return &InterruptedError{Pending: c.t.Pending(), Err: err}
}

// torn ends a connection whose transport has lost part of a frame.
func (c *Conn) torn(err error) error {
	c.abort(err)
	return &InterruptedError{Closed: true, Err: err}
}

func (c *Conn) sendFailed(err error) error {
	if c.ended.Load() == nil {
		c.abort(err)
	}
	return c.err()
}

// closed says why nothing can be sent: how the connection ended or, while it is
// closing, that a close frame has gone. It returns nil if something can.
func (c *Conn) closed() error {
	if err := c.err(); err != nil {
		return err
	}
	if e := c.out.closing.Load(); e != nil {
		return e
	}
	return nil
}

// flushAll sends everything that has gathered.
func (c *Conn) flushAll(ctx context.Context) error {
	ok, err := c.out.tok.lock(ctx, c.done())
	if err != nil {
		return err
	}
	if !ok {
		return c.err()
	}
	err = c.flush(ctx)
	c.unlockWrite()
	if e, ok := resumable(err); ok {
		return e.Err // nothing of the caller's was among it
	}
	return err
}

// resumable returns the error of a write that was interrupted and that goes on.
func resumable(err error) (*InterruptedError, bool) {
	e, ok := errors.AsType[*InterruptedError](err)
	return e, ok && !e.Closed
}

// unlockWrite passes the token on; frames that came meanwhile and that nobody
// waits for are sent now.
func (c *Conn) unlockWrite() {
	if c.ended.Load() != nil {
		c.out.watch.clear()
	}
	c.out.tok.unlock()
	if c.out.kicked.Load() {
		c.kick()
	}
}

// kick sends what has gathered without waiting for a slow peer or for another
// writer, who sends it along.
func (c *Conn) kick() {
	o := &c.out
	o.kicked.Store(true)
	for o.kicked.Load() && o.tok.try() {
		o.kicked.Store(false)
		err := c.flushNow()
		o.tok.unlock()
		if err != nil {
			return
		}
	}
}

// flushNow is flush as far as it goes at once; a goroutine sees to the rest.
func (c *Conn) flushNow() error {
	err := c.flush(ended)
	if _, ok := errors.AsType[*InterruptedError](err); ok {
		return nil
	}
	return err
}

// ended is a context for work that may not wait.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// kickLater starts the goroutine that sends what waits for a slow peer.
func (c *Conn) kickLater() {
	o := &c.out
	if o.drained.Swap(true) {
		return
	}
	go func() {
		if ok, _ := o.tok.lock(context.Background(), c.done()); ok {
			o.drained.Store(false)
			_ = c.flush(context.Background())
			c.unlockWrite()
		}
	}()
}

// drop returns the outbox's memory when the connection has ended.
func (o *outbox) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	bufpool.Put(o.buf)
	o.buf, o.pong = nil, nil
	if o.tok.try() {
		o.watch.clear()
		o.tok.unlock()
	}
}
