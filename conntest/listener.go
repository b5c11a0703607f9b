package conntest

import (
	"net"
	"sync"
)

// listener is the server's net.Listener. Its queue is not limited, so dialing never waits for the server.
type listener struct {
	addr   net.Addr
	mu     sync.Mutex
	cond   sync.Cond
	queue  []net.Conn
	closed bool
}

func newListener(addr net.Addr) *listener {
	l := &listener{addr: addr}
	l.cond.L = &l.mu
	return l
}

// offer queues a connection for Accept; false if the listener is closed.
func (l *listener) offer(nc net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.queue = append(l.queue, nc)
		l.cond.Signal()
	}
	return !l.closed
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.cond.Wait()
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	nc := l.queue[0]
	l.queue = l.queue[1:]
	return nc, nil
}

// Close closes the listener, and the connections that were not accepted yet.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, nc := range l.queue {
		_ = nc.Close()
	}
	l.queue = nil
	l.cond.Broadcast()
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
