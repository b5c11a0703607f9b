package reconnect

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/seed-c4549abd/wss/conn"
)

// endOf returns how the connection has ended; nil if it has not. Conn.Context cannot tell: it may end a moment later than a call
// returns the connection's error. Ping with an ended context sends nothing, and returns that error first.
func endOf(c *conn.Conn) *conn.CloseError {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Ping(ctx)
	ended, _ := errors.AsType[*conn.CloseError](err)
	return ended
}

// outcome is the verdict after the application's function has returned.
type outcome struct {
	verdict Verdict
	err     error
	code    conn.StatusCode // close code for a connection that is open
	reason  string
}

// settle returns the outcome for the error that the application's function has returned, and for the connection's end, which is
// nil if it is open.
func (r *run) settle(ctx context.Context, ended *conn.CloseError, err error) outcome {
	switch {
	case err == nil && (ended == nil || ended.Err == net.ErrClosed):
		return outcome{verdict: Finished, code: conn.StatusNormalClosure}
	case ctx.Err() != nil:
		return outcome{verdict: Stop, err: ctx.Err(), code: conn.StatusGoingAway}
	case err == nil:
		return outcome{verdict: r.classify(ended), err: ended}
	case ended != nil && ofConnection(err):
		if !has[*againError](err) && !has[*conn.CloseError](err) {
			err = ended
		}
		return outcome{verdict: r.classify(err), err: err}
	}
	// An error of the application.
	out := outcome{err: err, code: conn.StatusInternalError}
	if r.o.Classify != nil {
		out.verdict = r.o.Classify(err)
	}
	if out.verdict == Undecided {
		out.verdict = Stop
		if has[*againError](err) {
			out.verdict = ComeBack
		}
	}
	if e, ok := errors.AsType[*conn.CloseError](err); ok && e.Code.Sendable() {
		out.code, out.reason = e.Code, e.Reason
	} else if out.verdict != Stop {
		out.code = conn.StatusNormalClosure
	}
	return out
}

// ofConnection reports whether an error of the application's function is that of its connection or of its context, which ended
// with the connection.
func ofConnection(err error) bool {
	if has[*conn.CloseError](err) {
		return true
	}
	for _, known := range []error{net.ErrClosed, io.EOF, io.ErrUnexpectedEOF, context.Canceled} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
