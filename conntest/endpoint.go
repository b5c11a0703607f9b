package conntest

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// endpoint is the net.Conn of one side of a network.
type endpoint struct {
	in, out       *Link
	local, remote net.Addr
	once          sync.Once
	closed        chan struct{} // Close closes it
}

func newEndpoint(in, out *Link, local, remote net.Addr) *endpoint {
	return &endpoint{in: in, out: out, local: local, remote: remote, closed: make(chan struct{})}
}

func (e *endpoint) Read(p []byte) (int, error) {
	n, err := e.in.read(p)
	return n, e.opError("read", err)
}

func (e *endpoint) Write(p []byte) (int, error) {
	n, err := e.out.write(p)
	return n, e.opError("write", err)
}

// opError returns the error as a socket reports it.
func (e *endpoint) opError(op string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); !ok && err != net.ErrClosed {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

func (e *endpoint) CloseWrite() error { e.out.closeWrite(); return nil }

func (e *endpoint) Close() error {
	e.once.Do(func() {
		e.out.closeWrite()
		e.in.closeRead()
		close(e.closed)
	})
	return nil
}

func (e *endpoint) LocalAddr() net.Addr  { return e.local }
func (e *endpoint) RemoteAddr() net.Addr { return e.remote }

func (e *endpoint) SetDeadline(t time.Time) error {
	e.in.reading.set(e.in.net, t)
	e.out.writing.set(e.out.net, t)
	return nil
}

func (e *endpoint) SetReadDeadline(t time.Time) error  { e.in.reading.set(e.in.net, t); return nil }
func (e *endpoint) SetWriteDeadline(t time.Time) error { e.out.writing.set(e.out.net, t); return nil }

// deadline is a read or write deadline. The network's lock guards it.
type deadline struct {
	timer   *time.Timer
	expired bool
}

func (d *deadline) err() error { return os.ErrDeadlineExceeded }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) set(n *network, t time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d.stop()
	d.expired = !t.IsZero() && time.Until(t) <= 0
	if !t.IsZero() && !d.expired {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			if d.timer == timer {
				d.expired = true
				n.cond.Broadcast()
			}
		})
		d.timer = timer
	}
	n.cond.Broadcast()
}

func (e *endpoint) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}
