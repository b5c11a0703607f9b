// Package pipe is an in-memory, buffered net.Conn pair with deadlines and half
// close. net.Pipe has no buffer, so TLS over it can deadlock where a socket would
// not; and unlike sockets this one runs under testing/synctest.
package pipe

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// New returns two connected ends. Each direction buffers up to size bytes; a
// write into a full buffer waits. Both ends may be used concurrently.
func New(size int) (a, b *End) {
	ab, ba := newHalf(size), newHalf(size)
	return &End{in: ba, out: ab}, &End{in: ab, out: ba}
}

// End is one end of a pipe.
type End struct {
	in, out *half
}

// Read returns buffered bytes, waiting for the first.
func (e *End) Read(p []byte) (int, error) { return e.in.read(p) }

// Write buffers p, waiting for room; on a deadline it says how much went in.
func (e *End) Write(p []byte) (int, error) { return e.out.write(p) }

// CloseWrite ends the stream to the other end.
func (e *End) CloseWrite() error { e.out.shut(); return nil }

// Close ends both directions. What the other end has not read stays readable.
func (e *End) Close() error {
	e.out.shut()
	e.in.abandon()
	return nil
}

// Buffered returns the bytes that the other end has not read yet.
func (e *End) Buffered() int {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	return len(e.out.buf)
}

// SetDeadline sets both deadlines.
func (e *End) SetDeadline(t time.Time) error {
	e.in.rd.set(e.in, t)
	e.out.wr.set(e.out, t)
	return nil
}

// SetReadDeadline bounds Read.
func (e *End) SetReadDeadline(t time.Time) error { e.in.rd.set(e.in, t); return nil }

// SetWriteDeadline bounds Write.
func (e *End) SetWriteDeadline(t time.Time) error { e.out.wr.set(e.out, t); return nil }

// LocalAddr returns a placeholder.
func (e *End) LocalAddr() net.Addr { return addr{} }

// RemoteAddr returns a placeholder.
func (e *End) RemoteAddr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "pipe" }
func (addr) String() string  { return "pipe" }

// half is one direction. cond is signalled whenever anything changes.
type half struct {
	mu     sync.Mutex
	cond   sync.Cond
	buf    []byte
	size   int
	ended  bool // the writer is done
	gone   bool // the reader is gone
	rd, wr deadline
}

func newHalf(size int) *half {
	h := &half{size: size}
	h.cond.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.rd.expired:
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.cond.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		h.cond.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended:
			return n, net.ErrClosed
		case h.gone:
			return n, io.ErrClosedPipe
		case h.wr.expired:
			return n, os.ErrDeadlineExceeded
		}
		k := min(len(p), h.size-len(h.buf))
		h.buf = append(h.buf, p[:k]...)
		n, p = n+k, p[k:]
		if k > 0 {
			h.cond.Broadcast()
		}
		if len(p) == 0 {
			return n, nil
		}
		h.cond.Wait()
	}
}

func (h *half) shut() {
	h.mu.Lock()
	h.ended = true
	h.wr.stop()
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *half) abandon() {
	h.mu.Lock()
	h.gone = true
	h.rd.stop()
	h.cond.Broadcast()
	h.mu.Unlock()
}

// deadline is guarded by the half's mutex.
type deadline struct {
	timer   *time.Timer
	expired bool
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) set(h *half, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.stop()
	d.expired = !t.IsZero() && time.Until(t) <= 0
	if !t.IsZero() && !d.expired {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.timer == timer {
				d.expired = true
				h.cond.Broadcast()
			}
		})
		d.timer = timer
	}
	h.cond.Broadcast()
}
