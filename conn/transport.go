package conn

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// errWouldBlock is what Read of a transport returns when nothing is here.
var errWouldBlock = wire.ErrWouldBlock

// transport carries the bytes of frames. It is less than a net.Conn and more:
// reads and writes never wait, Wait and Flush do.
//
// One goroutine at a time uses Ready, Read, Wait and Drop, and one Write, Flush,
// TryFlush, Notify and Shut; the other methods may be called at any time.
type transport interface {
	// Ready reports whether Read may have something.
	Ready() bool
	// Read returns what is here, errWouldBlock if nothing is.
	Read(p []byte) (int, error)
	// Wait returns when Ready, or at the read deadline with its error.
	Wait() error
	// Loop calls handle each time when Ready, until it returns false or the read
	// deadline passes; handle reads until Ready is false, and calls neither Wait nor
	// Loop. It is cheaper than Wait.
	Loop(handle func() bool) error
	// Drop returns the buffers of the read side.
	Drop()

	// Write takes p for sending. What is straight, as it is a part of something long, may
	// leave at once as far as that does not wait; else it leaves together with the next flush.
	Write(p []byte, straight bool) error
	// Flush sends what Write took, waiting until the write deadline.
	Flush() error
	// TryFlush sends what can be sent at once and reports whether that was all.
	TryFlush() (done bool, err error)
	// Pending returns the bytes taken and not sent.
	Pending() int64
	// Notify takes for sending what tells the peer that our stream ends, if TLS wants that
	// said (RFC 8446 §6.1). Nothing may be written behind it.
	Notify()
	// Shut ends the stream to the peer, when Notify was called and nothing is left to flush. The
	// error is errors.ErrUnsupported if the peer cannot be shown an end but by Close.
	Shut() error

	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// Close ends everything at once.
	Close() error

	// Resumable reports whether the transport outlives a Flush that was cut off.
	Resumable() bool
	// Truncated reports, after io.EOF, that the stream broke off: TLS's
	// close_notify was missing.
	Truncated() bool
	// Counts returns the bytes received and sent, as the socket saw them.
	Counts() (in, out int64)
	NetConn() net.Conn
}

// newTransport turns nc to messages. Nothing else may be using it.
func newTransport(nc net.Conn) transport {
	switch c := nc.(type) {
	case *tls.Conn:
		if w, ok := c.NetConn().(*wire.Conn); ok {
			w.Switch()
			return &secure{plain: plain{w}, tls: c, more: true}
		}
		return newStream(c)
	case *wire.Conn:
		c.Switch()
		return &plain{c}
	}
	w := wire.Plain(nc)
	w.Switch()
	return &plain{w}
}

// plain is a transport without TLS: the wire itself.
type plain struct{ *wire.Conn }

func (t *plain) Write(p []byte, _ bool) error {
	_, err := t.Conn.Write(p)
	return err
}

func (t *plain) SetWriteDeadline(d time.Time) error { return t.SetFlushDeadline(d) }
func (t *plain) Counts() (in, out int64)            { return t.BytesRead(), t.BytesWritten() }

func (t *plain) Notify()     {}
func (t *plain) Shut() error { return t.CloseWrite() }

// secure is crypto/tls over the wire.
type secure struct {
	plain
	tls    *tls.Conn
	more   bool  // crypto/tls may hold decrypted bytes: the last Read filled its slice
	failed error // what Read returns from now on: crypto/tls does not keep every error itself
}

func (t *secure) Ready() bool { return t.more || t.failed != nil || t.plain.Ready() }

func (t *secure) Read(p []byte) (int, error) {
	if t.failed != nil {
		return 0, t.failed
	}
	if !t.Ready() {
		return 0, errWouldBlock
	}
	n, err := t.tls.Read(p)
	t.more = n == len(p)
	if n == 0 && err == errWouldBlock && t.plain.Ready() {
		// A record is here and crypto/tls does not take it: it has kept the error of a
		// handshake within the connection (a renegotiation, TLS 1.2) that could not wait.
		err = errNoProgress
	}
	if err != nil && err != errWouldBlock {
		t.failed = err
	}
	return n, err
}

func (t *secure) Write(p []byte, straight bool) error {
	t.Straight(straight)
	_, err := t.tls.Write(p)
	return err
}

func (t *secure) Wait() error {
	if t.more || t.failed != nil {
		return nil
	}
	return t.plain.Wait()
}

// Notify does not wait: Write of the wire below never does.
func (t *secure) Notify() { _ = t.tls.CloseWrite() }

func (t *secure) NetConn() net.Conn { return t.tls }
