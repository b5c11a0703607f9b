package conn

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/mask"
)

// gathered is a frame that its writer may take back; the zero value is one that has to
// be sent.
type gathered struct {
	size    int64 // bytes in the outbox
	encoded int64 // bytes of its payload
	payload int   // the same before compression
}

// commit returns when all up to g is with the kernel; the writer whose frame f ends there
// is waiting.
func (c *Conn) commit(ctx context.Context, g place, f gathered) error {
	o := &c.out
	seq := g.seq
	if g.slept || g.as != nil || !o.tok.try() {
		var lead bool
		var err error
		if g.slept || g.as == nil && !c.canGiveUp(ctx) {
			lead, err = c.followAsleep(seq)
		} else {
			lead, err = c.follow(ctx, seq, g.as)
		}
		switch {
		case err != nil && c.err() == nil && c.retract(seq, f):
			return err
		case err != nil:
			return c.interrupted(err)
		case !lead:
			return nil
		}
	}
	var err error
	if o.sent.Load() < seq {
		if o.following.crowded.Load() {
			o.yield()
		}
		err = c.flush(ctx)
		o.following.noteCrowd()
		if e, ok := resumable(err); ok && c.retract(seq, f) {
			err = e.Err
		}
	}
	c.unlockWrite()
	return err
}

// retract takes the last frame out again, if nobody has sent it or gathered behind.
func (c *Conn) retract(seq int64, f gathered) bool {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if f.size == 0 || o.framed != seq || int64(len(o.buf)) < f.size || c.closed() != nil {
		return false
	}
	o.buf = o.buf[:int64(len(o.buf))-f.size]
	o.framed -= f.size
	o.sentOut.uncount(f.payload, f.encoded)
	return true
}

// flush sends what is left from before, what has gathered, and what is queued behind
// that. o.tok is held. What has gathered stays out of the transport's queue as long as
// that is not empty, so that it can be taken back.
func (c *Conn) flush(ctx context.Context) error {
	o := &c.out
	if o.broken.Load() {
		return c.closed()
	}
	if c.t.Pending() > 0 {
		if err := c.push(ctx); err != nil {
			return err
		}
	}
	for more := true; more; {
		var b, long []byte
		var seq int64
		if b, long, seq, more = c.collect(); len(b)+len(long) == 0 {
			bufpool.Put(b) // all of it was taken back
			if err := c.err(); err != nil {
				return err // or was dropped
			}
		} else if err := c.give(ctx, b, long); err != nil {
			return err
		}
		o.sent.Store(seq)
	}
	return nil
}

// collect takes what is to be sent next: what has gathered, and a long message behind
// it that is sent from where it lies. It returns the position behind both, and whether
// more is queued.
func (c *Conn) collect() (b, long []byte, seq int64, more bool) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pong) > 0 && c.closed() == nil {
		h := frame.Header{Fin: true, Opcode: frame.Pong, Length: int64(len(o.pong))}
		c.enter(&h, o.pong)
		o.pong = o.pong[:0]
	}
	if len(o.queue) > 0 {
		long = c.dequeue()
	}
	if o.parting && len(o.queue) == 0 && len(long) == 0 {
		o.parting = false
		c.enterCloseFrame(o.closing.Load())
	}
	b, o.buf = o.buf, nil
	o.following.depart()
	if len(o.queue) == 0 {
		c.ungathered()
	}
	return b, long, o.framed, len(o.queue) > 0 && !o.stream || o.parting
}

// give sends what collect took, and returns b to the pool.
func (c *Conn) give(ctx context.Context, b, long []byte) (err error) {
	if len(b) > 0 {
		err = c.t.Write(b, false)
	}
	bufpool.Put(b)
	if err != nil {
		return c.sendFailed(err)
	}
	if len(long) == 0 {
		return c.push(ctx)
	}
	if c.role == frame.Client {
		var h frame.Header
		n, _ := h.Parse(long) // our own: it is whole and in order
		h.Masked, h.Key = true, mask.NewKey()
		return c.sendMasked(ctx, &h, nil, long[n:])
	}
	straight := part(len(long)) < len(long)
	for len(long) > 0 {
		n := part(len(long))
		err = c.sendPart(ctx, long[:n], straight, true, err)
		long = long[n:]
	}
	return err
}

// push gives the kernel what the transport holds: at once if it can, else for as
// long as ctx lives.
func (c *Conn) push(ctx context.Context) error {
	done, err := c.t.TryFlush()
	if !done && err == nil {
		c.stalls()
	}
	for !done && err == nil {
		if err := ctx.Err(); err != nil {
			return c.interrupted(err)
		}
		if err := c.watchWrite(ctx); err != nil {
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
	if err := c.err(); err != nil {
		return err
	}
	c.kickLater()
	return &InterruptedError{Pending: c.t.Pending(), Err: err}
}

// torn ends a connection whose transport has lost part of a frame.
func (c *Conn) torn(err error) error {
	c.abort(err)
	return &InterruptedError{Closed: true, Err: err}
}

// sendFailed notes that nothing can be sent any more. The peer may have said why before
// it stopped taking bytes, so the connection is left for a moment to whoever reads.
func (c *Conn) sendFailed(err error) error {
	why := &CloseError{Code: StatusAbnormal, Err: err}
	if c.out.closing.CompareAndSwap(nil, why) {
		c.boundClosing(lingerTimeout, func() { c.abort(err) })
	}
	c.out.broken.Store(true)
	return c.closed()
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
	ok, err := c.takeWrite(ctx)
	if err != nil {
		return c.because(err)
	}
	if !ok {
		return c.err()
	}
	err = c.flush(ctx)
	c.unlockWrite()
	if e, ok := resumable(err); ok {
		return e.Err // nothing of the caller's was among it
	}
	if err != nil {
		return c.because(err) // the end may be of this call's own doing
	}
	return nil
}

// flushed sends what the kernel takes at once, and reports whether nothing is left to send.
func (c *Conn) flushed() bool {
	if !c.out.tok.try() {
		return false
	}
	err := c.flush(ended)
	c.unlockWrite()
	return err == nil
}

// resumable returns the error of a write that was interrupted and that goes on.
func resumable(err error) (*InterruptedError, bool) {
	if err == nil {
		return nil, false
	}
	e, ok := errors.AsType[*InterruptedError](err)
	return e, ok && !e.Closed
}

// takeWrite waits for the send side's token.
func (c *Conn) takeWrite(ctx context.Context) (ok bool, err error) {
	ok, err = c.out.tok.lock(ctx, c)
	if !ok && c.ended.Load() != nil {
		c.forgetContext()
	}
	return ok, err
}

// forgetContext lets go of the last writer's context, unless somebody is sending, who
// will.
func (c *Conn) forgetContext() {
	if o := &c.out; o.tok.try() {
		o.watch.clear()
		o.tok.unlock()
	}
}

// unlockWrite passes the token on; frames that came meanwhile and that nobody
// waits for are sent now.
func (c *Conn) unlockWrite() {
	c.releaseWrite()
	if c.ended.Load() != nil {
		c.forgetContext()
	}
	if c.out.kicked.Load() {
		c.kick()
	}
}

// releaseWrite passes the token on, and tells the writers who wait for it what has
// left.
func (c *Conn) releaseWrite() {
	c.out.tok.unlock()
	c.out.wake()
}

// kick sends what has gathered without waiting for a slow peer or for another
// writer, who sends it along.
func (c *Conn) kick() {
	o := &c.out
	o.kicked.Store(true)
	for o.kicked.Load() && o.tok.try() {
		o.kicked.Store(false)
		err := c.flushNow()
		c.releaseWrite()
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
		if ok, _ := c.takeWrite(context.Background()); ok {
			o.drained.Store(false)
			_ = c.flush(context.Background())
			c.unlockWrite()
		}
	}()
}
