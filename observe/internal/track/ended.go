package track

import (
	"context"
	"errors"

	"github.com/seed-c4549abd/wss/conn"
)

// cancelled is a context that has ended.
var cancelled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Ended returns how the connection has ended, or nil if it has not. It calls Ping with a cancelled context, which sends nothing and
// returns the connection's error rather than the context's. Unlike Conn.Context it allocates nothing.
func Ended(c *conn.Conn) *conn.CloseError {
	_, err := c.Ping(cancelled)
	why, _ := errors.AsType[*conn.CloseError](err)
	return why
}

// Abnormal reports whether the end is an error: a rule was broken, a limit or a timeout was exceeded, the stream broke off, or the
// close code is that of an error. Codes of applications (3000 to 4999), restarts and CloseNow of this side are normal.
func Abnormal(why *conn.CloseError) bool {
	switch why.Token() {
	case "peer", "local":
	default:
		return true
	}
	switch why.Code {
	case conn.StatusNormalClosure, conn.StatusGoingAway, conn.StatusNoStatus, conn.StatusServiceRestart, conn.StatusTryAgainLater:
		return false
	case conn.StatusAbnormal:
		return why.Token() != "local"
	}
	return why.Code < 3000
}
