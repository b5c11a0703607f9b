// Package track holds what several observers need: the live connections, sums of their counts, and label values whose number
// a peer cannot increase.
package track

import (
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// Live maps each live connection to a value. It allows for a connection that ends in another observer's Opened, for which
// Closed is called before Opened. The zero value is empty. All methods may be called by any number of goroutines.
type Live[T any] struct {
	mu    sync.Mutex
	conns map[*conn.Conn]T
}

// Add adds a connection; added is false if it was there already. If the connection has ended and Remove was called too early,
// Add removes it again, and ended says how it ended.
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

// Get returns the connection's value, and false if there is none.
func (l *Live[T]) Get(c *conn.Conn) (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.conns[c]
	return v, ok
}

// Remove removes a connection and returns its value. ok is false if it was not there: it was removed before, or Add follows and
// finds that it has ended.
func (l *Live[T]) Remove(c *conn.Conn) (v T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok = l.conns[c]
	delete(l.conns, c)
	return v, ok
}
