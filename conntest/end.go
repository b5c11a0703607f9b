package conntest

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// end is one end of a network, a net.Conn.
type end struct {
	in, out       *Link
	local, remote net.Addr
	once          sync.Once
	closed        chan struct{} // closed by Close
}

func newEnd(in, out *Link, local, remote net.Addr) *end {
	return &end{in: in, out: out, local: local, remote: remote, closed: make(chan struct{})}
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.in.read(p)
	return n, e.located("read", err)
}

func (e *end) Write(p []byte) (int, error) {
	n, err := e.out.write(p)
	return n, e.located("write", err)
}

// located is an error as a socket reports it.
func (e *end) located(op string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); !ok && err != net.ErrClosed {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

func (e *end) CloseWrite() error { e.out.closeWrite(); return nil }

func (e *end) Close() error {
	e.once.Do(func() {
		e.out.closeWrite()
		e.in.closeRead()
		close(e.closed)
	})
	return nil
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

func (e *end) SetDeadline(t time.Time) error {
	e.in.reading.set(e.in.net, t)
	e.out.writing.set(e.out.net, t)
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error  { e.in.reading.set(e.in.net, t); return nil }
func (e *end) SetWriteDeadline(t time.Time) error { e.out.writing.set(e.out.net, t); return nil }

// deadline is guarded by the network's lock.
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

func (e *end) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}
