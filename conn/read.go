package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/token"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// inbox is the receive side of a connection. Its token's holder reads.
type inbox struct {
	buf      []byte // borrowed while bytes are in it
	r, w     int    // buf[r:w] has not been consumed
	receiver frame.Receiver
	limit    atomic.Int64 // of messages that begin from now on; see SetMessageLimit

	uncounted  traffic     // received since it was last added to the counters
	assembly   assembly    // the message in progress
	compressed bool        // it is compressed
	looping    bool        // Serve waits by itself: await must not
	answer     bool        // a pong waits in the outbox
	closed     bool        // the peer's close frame was received
	observed   bool        // the observer's MessageIn and MessageOut are called; here to keep Conn small (size_test.go)
	serving    atomic.Bool // Serve holds the token
	used       atomic.Bool // somebody has asked for a message: see unread.go
	watch      *watch      // nil until a context can end

	token       token.Token
	unfinished  *MessageReader // the message being streamed
	finishLater *CloseError    // what is left to Serve to finish
}

func (in *inbox) init(role frame.Role, limit int64, rest []byte) {
	in.receiver = frame.Receiver{Role: role, Limit: limit}
	in.limit.Store(limit)
	if len(rest) > 0 {
		in.buf = bufpool.Get(max(len(rest), bufpool.Record))
		in.w = copy(in.buf, rest)
	}
}

// Read returns the next message, whole. The data is the caller's. A message longer
// than MessageLimit ends the connection with ErrMessageTooBig, and the peer is told
// 1009. When ctx ends first, its error is returned, and what has arrived of a
// nextMessage is kept for the next call.
func (c *Conn) Read(ctx context.Context) (MessageType, []byte, error) {
	return c.ReadInto(ctx, nil)
}

// ReadInto is Read into a buffer: it overwrites buf and returns the message, in buf
// if its capacity suffices, else in a larger one. Handing each result to the next
// call, a loop reads without allocating.
func (c *Conn) ReadInto(ctx context.Context, buf []byte) (MessageType, []byte, error) {
	if err := c.lockRead(ctx); err != nil {
		return 0, nil, err
	}
	op, p, err := c.readMessage(ctx, buf)
	if err == nil {
		c.observeIn(MessageType(op), len(p))
	}
	return MessageType(op), p, err
}

// readMessage is ReadInto with the read side's token, which it gives back: an observer may call
// anything.
func (c *Conn) readMessage(ctx context.Context, buf []byte) (frame.Opcode, []byte, error) {
	defer c.unlockRead()
	return c.nextMessage(ctx, buf, false)
}

// lockRead waits for the turn to read. While Serve or ServeInBackground reads there is none: who waited in its
// callback would wait for ever.
func (c *Conn) lockRead(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if c.in.serving.Load() {
		return cmp.Or(c.life.err(), error(ErrServing))
	}
	if !c.in.used.Load() {
		c.in.used.Store(true)
	}
	if ok, err := c.takeRead(ctx); err != nil {
		return c.life.because(err)
	} else if !ok {
		return c.life.err()
	}
	if err := c.life.err(); err != nil {
		c.unlockRead()
		return err
	}
	if c.in.unfinished != nil {
		c.unlockRead()
		return ErrMessageUnfinished
	}
	return nil
}

// takeRead waits for the read side's token. Whoever is given it at the moment when the
// connection ends returns the read buffers.
func (c *Conn) takeRead(ctx context.Context) (ok bool, err error) {
	ok, err = c.in.token.Lock(ctx, &c.life)
	if !ok && c.life.hasEnded() {
		c.dropInbox()
	}
	return ok, err
}

// unlockRead passes the turn on. Answers to control frames are sent now, and an empty
// buffer goes back: the caller may not come back soon.
func (c *Conn) unlockRead() {
	if in := &c.in; in.r == in.w && (in.unfinished == nil || len(in.unfinished.rest) == 0) {
		in.release()
	}
	c.flushAnswers()
	c.publish()
	c.keepalive.readerGone()
	c.in.token.Unlock()
	if c.life.hasEnded() {
		c.dropInbox()
	}
}

// dropInbox returns the read side's buffers, unless somebody is reading, who will.
func (c *Conn) dropInbox() {
	if !c.in.token.TryLock() {
		return
	}
	c.in.watch.clear()
	c.in.release()
	c.in.assembly.drop()
	if c.compression != nil {
		c.compression.recv.Close()
	}
	c.transport.Drop()
	c.publish()
	c.in.token.Unlock()
	if c.member != nil {
		c.member.remove(c, c.life.ended.Load())
	}
}

// partial reports whether a message, or a frame, has begun to arrive.
func (in *inbox) partial() bool {
	return in.r < in.w || in.receiver.Pending() || in.receiver.Remaining() > 0
}

func (in *inbox) release() {
	bufpool.Put(in.buf)
	in.buf, in.r, in.w = nil, 0, 0
}

// event stores the next piece of a data message in ev. Control frames that come before
// it are handled.
func (c *Conn) event(ctx context.Context, ev *frame.Event) error {
	in := &c.in
	for {
		if in.r < in.w {
			if n := in.limit.Load(); n != in.receiver.Limit && !in.receiver.Pending() {
				c.applyLimit(n)
			}
			n, err := in.receiver.NextInto(ev, in.buf[in.r:in.w])
			in.r += n
			switch {
			case err != nil:
				return c.fail(err)
			case ev.Kind == frame.Data:
				in.uncounted.encoded += int64(len(ev.Payload))
				return nil
			case ev.Kind == frame.Control:
				if err := c.control(ev); err != nil {
					return err
				}
				continue
			}
		}
		if err := c.fill(ctx); err != nil {
			return err
		}
	}
}

// SetMessageLimit changes MessageLimit for messages that begin from now on: to receive more after a login, for example. Zero
// is DefaultMessageLimit, negative is no limit. It may be called at any time, in a callback too.
func (c *Conn) SetMessageLimit(n int64) { c.in.limit.Store(newSettings(n, 0, 0, 0).messageLimit) }

// applyLimit changes the limit between two messages. The read side's token is held.
func (c *Conn) applyLimit(n int64) {
	c.in.receiver.Limit = n
	if c.compression != nil {
		c.compression.recv.Limit = n
	}
}

// fill reads into the buffer, and waits until there is something to read.
func (c *Conn) fill(ctx context.Context) error {
	in := &c.in
	c.publish()
	for {
		if !c.transport.Ready() {
			in.shrink()
			if in.looping {
				return errNoInput
			}
			if err := c.await(ctx); err != nil {
				return err
			}
		}
		in.room()
		n, err := c.transport.Read(in.buf[in.w:])
		if n > 0 {
			if in.r < in.w {
				c.keepalive.heard() // a frame that has begun goes on
			}
			in.w += n
			if n <= smallRecord {
				c.fillMore()
			}
			return nil
		}
		if err != transport.ErrWouldBlock {
			return c.readFailed(err)
		}
	}
}

// smallRecord: after a read of at most this many bytes, fill reads again before frames are parsed.
const smallRecord = 128

// fillMore adds what else is available in small records: for a peer that sends each byte in a record of its
// own, frames are then parsed as seldom as for others. An error is kept for the next read.
func (c *Conn) fillMore() {
	in := &c.in
	for c.transport.Ready() && len(in.buf)-in.w >= record {
		n, err := c.transport.Read(in.buf[in.w:])
		if in.w += n; err != nil || n > smallRecord {
			return
		}
	}
}

// shrink exchanges the buffer for the smallest that holds what is left in it, so that a peer that stalls
// within a header costs little.
func (in *inbox) shrink() {
	n := in.w - in.r
	if n == 0 {
		in.release()
	} else if n <= bufpool.Small && len(in.buf) > bufpool.Small {
		b := bufpool.Get(bufpool.Small)
		copy(b, in.buf[in.r:in.w])
		bufpool.Put(in.buf)
		in.buf, in.r, in.w = b, 0, n
	}
}

// room makes space for a whole record behind what is left in the buffer: a part of
// a header or of a control frame.
func (in *inbox) room() {
	if n := in.w - in.r; len(in.buf) < bufpool.Record {
		b := bufpool.Get(bufpool.Record)
		copy(b, in.buf[in.r:in.w])
		bufpool.Put(in.buf)
		in.buf, in.r, in.w = b, 0, n
	} else if in.r > 0 {
		copy(in.buf, in.buf[in.r:in.w])
		in.r, in.w = 0, n
	}
}

// direct reads payload of the current frame directly into p.
func (c *Conn) direct(ctx context.Context, p []byte) (frame.Event, error) {
	for {
		n, err := c.transport.Read(p)
		if n > 0 {
			c.keepalive.heard()
			c.in.uncounted.encoded += int64(n)
			ev, err := c.in.receiver.Payload(p[:n])
			if err != nil {
				return ev, c.fail(err)
			}
			return ev, nil
		}
		if err != transport.ErrWouldBlock {
			return frame.Event{}, c.readFailed(err)
		}
		if err := c.await(ctx); err != nil {
			return frame.Event{}, err
		}
	}
}

// await waits until the transport has something, for as long as ctx lives. What
// is buffered for sending is sent before. Serve's loop does both itself.
func (c *Conn) await(ctx context.Context) error {
	if c.in.looping {
		return errNoInput
	}
	if err := c.flushBeforeWait(ctx); err != nil {
		return err
	}
	for interruptions := 0; ; interruptions++ {
		if err := c.watchRead(ctx); err != nil {
			return c.life.because(err)
		}
		c.keepalive.waitBegins(c.in.partial())
		err := c.transport.Wait()
		c.keepalive.waitEnds()
		if err == nil {
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return c.readFailed(err)
		}
		if c.bare() != nil {
			return err // the deadline is the user's
		}
		if err := ctx.Err(); err != nil {
			return c.life.because(err)
		}
		if c.clearDeadline(); interruptions == maxInterruptions { // left by somebody else
			return c.readFailed(err)
		}
	}
}

// maxInterruptions is how often in a row a wait may end by a deadline that neither its context nor
// keepalive has set. It happens once or twice when contexts change; what goes on is a transport that has
// kept the error.
const maxInterruptions = 100

// clearDeadline removes a read deadline that somebody else has left, and reports
// whether that was keepalive.
func (c *Conn) clearDeadline() (parking bool) {
	parking = c.keepalive.takeParking()
	_ = c.transport.SetReadDeadline(time.Time{})
	return parking
}

// flushBeforeWait sends replies of Serve, pongs and answers of TLS. A peer that takes none of them is not read from
// until it does.
func (c *Conn) flushBeforeWait(ctx context.Context) error {
	in := &c.in
	if c.life.broken() {
		return nil // nothing can be sent, but what the peer said before can be read
	}
	if in.serving.Load() {
		if err := c.inputHandled(ctx); err != nil && !c.life.broken() {
			return err
		}
		return nil
	}
	c.flushAnswers()
	return c.throttle(ctx)
}

// flushAnswers sends what reading has caused, as far as the socket takes it.
func (c *Conn) flushAnswers() {
	if c.in.answer || c.transport.Pending() > 0 {
		c.in.answer = false
		c.send.tryFlush()
	}
}

// throttle makes the reader wait while more than QueueLimit and answersLimit bytes wait for the peer.
func (c *Conn) throttle(ctx context.Context) error {
	if c.transport.Pending() > c.settings.outbox.QueueLimit+answersLimit {
		if err := c.send.flush(ctx); err != nil && !c.life.broken() {
			return err
		}
	}
	return nil
}

// Streams that ended otherwise than by a closing handshake.
var (
	errNoClose  = fmt.Errorf("the stream ended without a close frame: %w", io.ErrUnexpectedEOF)
	errBrokeOff = fmt.Errorf("the stream broke off: %w", io.ErrUnexpectedEOF)
)

// lost is an error of the transport within Serve's loop, which ends the connection when it
// has been left: a socket cannot be closed at once by whoever waits for it.
type lost struct{ error }

// readFailed ends the connection after an error of the transport. Without a close
// frame that is abnormal, however the stream ended (RFC 6455 §7.1.5).
func (c *Conn) readFailed(err error) error {
	if b := c.bare(); b != nil {
		return b.readFailed(err)
	}
	clean := err == io.EOF && !c.transport.Truncated()
	c.publish() // so that Stats is complete in Observer.Closed
	if c.in.looping {
		return lost{err}
	}
	if err == io.EOF && !c.life.hasEnded() {
		c.life.state.change(stateHalfClosed)
		c.halfClosed()
	}
	switch {
	case c.life.hasEnded():
		return c.life.err()
	case clean:
		err = errNoClose
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		err = errBrokeOff
	}
	c.send.tryNotify(clean)
	if own := c.life.gaveUp(); own != nil {
		return c.end(own) // the peer left without an answer to our close frame
	}
	return c.abort(err)
}
