package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
)

// Write passes p to the socket before Switch. After it Write never blocks, and fails
// only on a closed connection: p joins the queue, which Flush empties. A record that
// is alone does not join: crypto/tls cuts what it is given into full records, so a
// shorter one is the last, and there is nothing to send it with but what is queued
// before it. Of such a one the queue gets only what the kernel does not take at once, and
// so it does of every record while WriteThrough is on.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.switched {
		n, err := c.nc.Write(p)
		c.written.Add(int64(n))
		return n, err
	}
	buffered := len(p) > fullRecord && c.mode != plain && !c.through.Load()
	if buffered || c.pending.Load() > 0 || c.descriptor == nil || !c.flushMu.TryLock() {
		return len(p), c.enqueue(p)
	}
	defer c.flushMu.Unlock()
	n, err := c.tryWrite(p)
	if n == len(p) {
		return n, nil
	}
	if !wouldWait(err) {
		c.failed = err // for Flush to report: crypto/tls would never forget it
	}
	return len(p), c.enqueue(p[n:])
}

// WriteThrough says whether full records are written to the socket at once, as far as it takes them.
// To buffer four and send them in one call costs less where somebody waits for just these;
// in the middle of something longer it costs more, since the copies are not in the L1
// cache any more when the kernel gets to them.
func (c *Conn) WriteThrough(on bool) {
	if c.through.Load() != on {
		c.through.Store(on)
	}
}

// enqueue appends p to the queue.
func (c *Conn) enqueue(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	c.queue.add(p, c.flushing)
	c.pending.Store(int64(c.queue.size))
	return nil
}

// wouldWait reports that the kernel takes nothing now, or not before a deadline that
// has passed.
func wouldWait(err error) bool {
	return err == nil || err == syscall.EAGAIN || errors.Is(err, os.ErrDeadlineExceeded)
}

// Flush gives the queue to the kernel, waiting as long as the flush deadline
// allows. When it passes, the error is os.ErrDeadlineExceeded, and the rest
// stays queued for the next Flush. It is net.ErrClosed when Close has dropped
// what was queued.
func (c *Conn) Flush() error {
	if c.pending.Load() == 0 {
		return c.dropped()
	}
	c.flushMu.Lock()
	defer c.flushMu.Unlock()
	return c.flushLocked(c.waitWrite)
}

// TryFlush gives the kernel what it takes at once and reports whether that was
// all. Where readiness cannot be awaited, while another flush is under way and
// after the flush deadline it takes nothing. After Close it is as Flush.
func (c *Conn) TryFlush() (done bool, err error) {
	if c.pending.Load() == 0 {
		err = c.dropped()
		return err == nil, err
	}
	if c.descriptor == nil || !c.flushMu.TryLock() {
		return false, nil
	}
	err = c.flushLocked(c.tryWrite)
	c.flushMu.Unlock()
	if err != nil && wouldWait(err) {
		return false, nil
	}
	return err == nil, err
}

// flushLocked writes chunk by chunk. The lock on the queue is not held meanwhile:
// Write goes on behind the bytes that are leaving.
func (c *Conn) flushLocked(write func([]byte) (int, error)) (err error) {
	if c.failed != nil {
		return c.failed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for err == nil {
		if c.closed.Load() {
			c.drop()
			return net.ErrClosed
		}
		p := c.queue.head()
		if len(p) == 0 {
			return nil
		}
		c.flushing = true
		c.mu.Unlock()
		var n int
		n, err = write(p)
		c.mu.Lock()
		c.flushing = false
		c.queue.advance(n)
		c.pending.Store(int64(c.queue.size))
	}
	if c.closed.Load() {
		c.drop()
	}
	return err
}

// drop empties the queue; c.mu is held, and nothing is being flushed.
func (c *Conn) drop() {
	c.lost = c.lost || c.queue.size > 0
	c.queue.drop()
	c.pending.Store(0)
}

// dropped returns net.ErrClosed if the queue is empty because Close dropped what was in it:
// whoever wrote that must not take it for sent.
func (c *Conn) dropped() error {
	if !c.closed.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return net.ErrClosed
	}
	return nil
}

// attempt carries one attempt to write through the callback that RawConn wants; bound once, it costs no
// allocation. Guarded by flushMu.
type attempt struct {
	call func(fd uintptr) bool
	p    []byte
	n    int
	err  error
}

// writable writes what the socket takes. It returns false to wait until it takes more.
func (c *Conn) writable(fd uintptr) bool {
	t := &c.attempt
	for {
		var n int
		n, t.err = writeNow(fd, t.p[t.n:])
		t.n += n
		c.written.Add(int64(n)) // at once: somebody may be watching whether the peer takes anything
		switch {
		case !c.patient || t.n == len(t.p):
			return true
		case t.err == syscall.EAGAIN:
			return false
		case t.err != nil:
			return true
		}
	}
}

// tryWrite gives the kernel p without waiting; EAGAIN says that it is full.
func (c *Conn) tryWrite(p []byte) (int, error) { return c.write(p, false) }

// waitWrite gives the kernel p, waiting as long as the flush deadline allows.
func (c *Conn) waitWrite(p []byte) (int, error) {
	if c.descriptor != nil {
		return c.write(p, true)
	}
	n, err := c.nc.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func (c *Conn) write(p []byte, wait bool) (int, error) {
	c.attempt.p, c.patient = p, wait
	err := socketError(c.descriptor.Write(c.attempt.call))
	n, tryErr := c.attempt.n, c.attempt.err
	c.attempt.p, c.attempt.n, c.attempt.err = nil, 0, nil
	switch {
	case err != nil:
		return n, err
	case tryErr != nil && tryErr != syscall.EAGAIN:
		return n, &net.OpError{
			Op: "write", Net: c.nc.LocalAddr().Network(), Source: c.nc.LocalAddr(),
			Addr: c.nc.RemoteAddr(), Err: os.NewSyscallError("write", tryErr),
		}
	}
	return n, tryErr
}

// Pending returns the bytes that were written and not yet taken by the kernel.
func (c *Conn) Pending() int64 { return c.pending.Load() }

// BytesWritten returns the bytes that the kernel has taken so far.
func (c *Conn) BytesWritten() int64 { return c.written.Load() }

// CloseWrite sends the end of the stream, so that what the peer still sends does
// not make the kernel throw away what it has not yet received from us. The error is
// errors.ErrUnsupported if what is below has no such end.
func (c *Conn) CloseWrite() error {
	if hc, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return hc.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the socket and drops the queue. It may be called at any time, and
// ends every call in progress.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	var err error
	if _, isTLS := c.nc.(*tls.Conn); isTLS {
		go c.nc.Close() // it waits up to five seconds for somebody to take its close_notify
	} else if c.looping.Load() {
		// Close waits for the read to end, and we may be called within it; the kernel keeps the
		// descriptor until then. Ending both directions tells the peer at once.
		if socket, ok := c.nc.(interface {
			CloseRead() error
			CloseWrite() error
		}); ok {
			_ = socket.CloseWrite()
			_ = socket.CloseRead()
		}
		go c.nc.Close()
	} else {
		err = c.nc.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.flushing { // else the flush that is ending drops the queue
		c.drop()
	}
	return err
}
