// Package track is what several observers need: which connections are live, sums of their counts, and names that a peer
// cannot choose.
package track

import (
	"context"
	"errors"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// Live holds a value for each live connection. It copes with connections that end in Opened, of which an observer may
// be told Closed first. The zero value is ready. All methods may be called by any number of goroutines.
type Live[T any] struct {
	mu    sync.Mutex
	conns map[*conn.Conn]T
}

// Add notes a connection; added is false if it was noted before. If it had ended before, whoever was told Closed did not
// find it: then it is removed again, and ended says how it ended.
func (l *Live[T]) Add(c *conn.Conn, v T) (added bool, ended *conn.CloseError) {
	l.mu.Lock()
	if _, there := l.conns[c]; there {
		l.mu.Unlock()
		return false, nil
	}
	if l.conns == nil {
		l.conns = map[*conn.Conn]T{}
	}
	l.conns[c] = v
	l.mu.Unlock()
	if why := Ended(c); why != nil {
		if _, mine := l.Remove(c); mine {
			return true, why
		}
	}
	return true, nil
}

// Get returns the connection's value, and false if it is not noted.
func (l *Live[T]) Get(c *conn.Conn) (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.conns[c]
	return v, ok
}

// Remove takes a connection out, and returns its value. ok is false if it was not noted: it has been removed, or Add follows
// and finds it ended.
func (l *Live[T]) Remove(c *conn.Conn) (v T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok = l.conns[c]
	delete(l.conns, c)
	return v, ok
}

// Len returns the number of connections.
func (l *Live[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// over has ended.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Ended returns how the connection has ended, or nil. It makes no context for it, as Conn.Context does: every call returns
// the connection's end before that of its context, and Ping does nothing else then.
func Ended(c *conn.Conn) *conn.CloseError {
	_, err := c.Ping(over)
	why, _ := errors.AsType[*conn.CloseError](err)
	return why
}

// Abnormal reports whether something went wrong: a rule was broken, a limit or a timeout was exceeded, the stream broke
// off, or a code says so. Codes of applications (3000 to 4999), restarts and what this side ended by CloseNow are normal.
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
