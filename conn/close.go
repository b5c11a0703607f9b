package conn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// Close performs the closing handshake (RFC 6455 §7.1.2): it sends a close frame
// with code and reason, waits for the peer's, and closes the connection. Messages
// that arrive meanwhile go to a read in progress, or are discarded. It returns nil
// when both sides have closed, and at the latest after CloseTimeout: then the
// connection is gone too, and the error wraps ErrCloseTimeout.
//
// A code that may not be sent, a reason of more than 123 bytes or one that is not
// UTF-8 is refused, and the connection stays open. StatusNoStatus with an empty
// reason sends no code. While Serve or ServeInBackground runs, Close returns when the kernel
// has taken the frame, and Serve or ServeInBackground does the rest. On a connection that has ended Close returns nil if
// it ended by a closing handshake, else the *CloseError.
func (c *Conn) Close(code StatusCode, reason string) error {
	if _, err := frame.AppendClose(nil, code, reason); err != nil {
		return err
	}
	if inBrowser {
		if err := checkCloseInBrowser(code); err != nil {
			return err
		}
	}
	ctx, cancel := within(c.settings.closeTimeout)
	defer cancel()
	why := &CloseError{Code: code, Reason: reason, Err: net.ErrClosed}
	if c.in.serving.Load() {
		c.boundClosing(c.settings.closeTimeout, func() { c.abort(ErrCloseTimeout) })
		c.send.enqueueClose(why)
		if c.send.flush(ctx) != nil && ctx.Err() != nil {
			c.abort(ErrCloseTimeout)
		}
		return c.closeResult()
	}
	// Somebody has to read while the frame waits to be sent: the peer may read only when it
	// has sent what it has.
	c.send.enqueueClose(why)
	c.send.tryFlush()
	ok, err := c.takeRead(ctx)
	if err != nil {
		c.abort(ErrCloseTimeout)
	}
	if ok {
		c.discard(ctx)
		c.unlockRead()
	}
	return c.closeResult()
}

// CloseNow closes the connection without a closing handshake. What has not been sent is
// dropped; the peer sees the end of the stream, or a reset if it was sending, which is
// an abnormal closure unless close frames were exchanged before. Calls in progress end. It
// returns net.ErrClosed if the connection had ended already.
func (c *Conn) CloseNow() error {
	mine := &CloseError{Code: StatusAbnormal, Err: net.ErrClosed}
	if c.end(mine) != mine {
		return net.ErrClosed
	}
	return nil
}

// closeResult is what Close returns: nil if the closing handshake went well or is
// still under way.
func (c *Conn) closeResult() error {
	e := c.life.ended.Load()
	if e == nil || e.Remote || errors.Is(e.Err, net.ErrClosed) && e.Code != StatusAbnormal {
		return nil
	}
	return e
}

// sendClose enters a close frame, and returns when it has been sent with all before it or when
// ctx ends.
func (c *Conn) sendClose(ctx context.Context, why *CloseError) {
	c.send.enqueueClose(why)
	_ = c.send.flush(ctx) // if the peer does not take it, the wait for its own fails
}

// giveUp closes the connection because of why, which is this side's decision about its peer. If the peer
// does not answer, the connection ends with why. It reports whether there was no close frame yet.
func (c *Conn) giveUp(why *CloseError) bool {
	if !c.send.enqueueClose(why) {
		return false
	}
	c.boundClosing(c.settings.closeTimeout, func() { c.end(why) })
	go c.send.tryFlush() // a timer may be calling, which must not do I/O
	return true
}

// sendableReason is reason as a close frame can carry it: cut at a character if it is too long, and
// left out if it is not UTF-8 (RFC 6455 §5.5.1).
func sendableReason(reason string) string {
	if !utf8.ValidString(reason) {
		return ""
	}
	for n := frame.MaxReason; n < len(reason); n-- {
		if utf8.RuneStart(reason[n]) {
			return reason[:n]
		}
	}
	return reason
}

// startClose is Close without waiting for anything: whoever reads finishes it, or a
// goroutine if nobody does. code and reason may be sent.
func (c *Conn) startClose(code StatusCode, reason string) {
	c.send.enqueueClose(&CloseError{Code: code, Reason: reason, Err: net.ErrClosed})
	c.send.tryFlush()
	c.boundClosing(c.settings.closeTimeout, func() { c.abort(ErrCloseTimeout) })
	if !c.in.serving.Load() {
		go c.awaitClose()
	}
}

// awaitClose reads until the peer has closed, unless another goroutine reads.
func (c *Conn) awaitClose() {
	ctx, cancel := within(c.settings.closeTimeout)
	defer cancel()
	if ok, err := c.takeRead(ctx); ok && err == nil {
		c.discard(ctx)
		c.unlockRead()
	}
}

// discard reads until the connection ends or ctx does. The reader's token is held.
func (c *Conn) discard(ctx context.Context) {
	for {
		var ev frame.Event
		if err := c.event(ctx, &ev); err != nil {
			if ctx.Err() != nil {
				c.abort(ErrCloseTimeout)
			}
			return
		}
	}
}

// closeReceived handles the peer's close frame: it is answered, unless it is an
// answer itself, and the connection ends (§5.5.1, §7.1.1).
func (c *Conn) closeReceived(payload []byte) error {
	code, reason, err := frame.ParseClose(payload)
	if err != nil {
		return c.fail(err)
	}
	why := &CloseError{Code: code, Reason: string(reason), Remote: true}
	// A frame with our own code answers ours; one with another has crossed it, and is the
	// first that we receive (§7.1.5).
	if own := c.life.sendEnd.Load(); own != nil && own.Code == code {
		why = own
	}
	c.in.closed = true
	// Our answer is sent after everything enqueued before it, which may take a slow peer a
	// while.
	ctx, cancel := within(c.settings.closeTimeout)
	defer cancel()
	c.sendClose(ctx, why) // one of ours may be waiting already
	return c.linger(why)
}

// fail ends the connection because the peer broke a rule, and tells it which
// (§7.1.7).
func (c *Conn) fail(cause error) error {
	why := &CloseError{Code: StatusProtocolError, Err: cause}
	if e, ok := errors.AsType[*frame.Error](cause); ok {
		why.Code, why.Reason = e.Code, e.Reason
	}
	if _, err := frame.AppendClose(nil, why.Code, why.Reason); err != nil {
		return c.abort(fmt.Errorf("%w (no close frame: %w)", cause, err))
	}
	if b := c.bare(); b != nil {
		return b.fail(why, cause)
	}
	ctx, cancel := within(c.settings.lingerTimeout)
	defer cancel()
	c.sendClose(ctx, why)
	return c.finish(ctx, why)
}

// linger is finish with the time that a peer has after the closing handshake.
func (c *Conn) linger(why *CloseError) error {
	ctx, cancel := within(c.settings.lingerTimeout)
	defer cancel()
	return c.finish(ctx, why)
}

// finish ends a connection after the last frame. Closing a socket with unread bytes resets it, and the peer may lose that
// frame: so our stream is ended first, and input is read and dropped, within bounds of time and size. A client waits for
// the server to close (§7.1.1).
func (c *Conn) finish(ctx context.Context, why *CloseError) error {
	c.publish() // so that Stats is complete in Observer.Closed
	if c.in.looping {
		c.in.finishLater = why
		return why
	}
	received, _ := c.transport.Counts()
	if !c.in.closed {
		c.delayCloseNotify(ctx, received+lingerBytes)
	}
	wait := c.in.receiver.Role == frame.Client && c.in.closed
	ended := !wait && c.shut(ctx)
	if !wait && !ended && (c.in.closed || transport.SendsAfterClose(c.transport)) {
		return c.end(why) // the peer has sent its close frame, or cannot lose ours, and there is no half-close
	}
	c.discardTo(ctx, received+lingerBytes)
	if wait {
		c.shut(ctx)
	}
	return c.end(why)
}

// closeNotifyDelay is the wait before close_notify after a close frame that reports an error: some implementations
// (uWebSockets, Tyrus) report 1006 if they receive both together.
const closeNotifyDelay = 50 * time.Millisecond

// delayCloseNotify drops input for closeNotifyDelay, or until discardTo ends.
func (c *Conn) delayCloseNotify(ctx context.Context, most int64) {
	ctx, cancel := context.WithTimeout(ctx, closeNotifyDelay)
	defer cancel()
	c.discardTo(ctx, most)
}

// discardTo drops input until ctx ends, the peer ends its stream, or most bytes have been received on this connection.
func (c *Conn) discardTo(ctx context.Context, most int64) {
	for {
		if in, _ := c.transport.Counts(); in >= most || ctx.Err() != nil || !c.discardInput(ctx) {
			return
		}
	}
}

// shut ends our stream when all that is to be sent was sent, and reports whether the peer can see that end.
func (c *Conn) shut(ctx context.Context) (visible bool) {
	if c.life.broken() {
		return false
	}
	return c.send.shut(ctx)
}

// discardInput reads and drops input, and reports whether more may follow.
func (c *Conn) discardInput(ctx context.Context) bool {
	in := &c.in
	if !c.transport.Ready() {
		in.release()
		if c.watchRead(ctx) != nil {
			return false
		}
		if c.transport.Wait() != nil {
			return ctx.Err() == nil && c.clearDeadline()
		}
	}
	in.release()
	in.room()
	n, err := c.transport.Read(in.buf)
	return n > 0 || err == transport.ErrWouldBlock
}
