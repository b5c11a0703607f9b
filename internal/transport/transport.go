// Package transport carries the bytes of frames: reads and writes that never wait, and Wait and Flush that do. There are
// four: the wire without TLS, crypto/tls over the wire, crypto/tls over somebody else's socket, and a stream of HTTP/2 or HTTP/3.
package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// ErrWouldBlock is what Read returns when nothing is available.
var ErrWouldBlock = wire.ErrWouldBlock

// ErrNoProgress is what Read returns when crypto/tls asks again and again for what it has been given.
var ErrNoProgress = errors.New("websocket: the peer renegotiates TLS within the WebSocket, which is not supported; " +
	"set tls.Config.Renegotiation to RenegotiateNever to have crypto/tls refuse it")

// Conn is a transport. It is less than a net.Conn and more.
//
// One goroutine at a time uses Ready, Read, Wait and Drop, and one Write, Flush,
// TryFlush, Notify and Shut; the other methods may be called at any time.
type Conn interface {
	// Ready reports whether Read may have something.
	Ready() bool
	// Read returns what is available, ErrWouldBlock if nothing is.
	Read(p []byte) (int, error)
	// Wait returns when Ready, or at the read deadline with its error.
	Wait() error
	// Loop calls handle each time when Ready, until it returns false or the read
	// deadline passes; handle reads until Ready is false, and calls neither Wait nor
	// Loop. It is cheaper than Wait.
	Loop(handle func() bool) error
	// Drop returns the buffers of the read side.
	Drop()

	// Write takes p for sending. With through, for a part of something long, it may be written to the socket at once as
	// far as that does not wait; else it is sent with the next flush.
	Write(p []byte, through bool) error
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
	// NetConn returns what was given to New.
	NetConn() net.Conn
}

// New turns nc to messages. Nothing else may be using it.
func New(nc net.Conn) Conn {
	switch c := nc.(type) {
	case StreamConn:
		return c.Stream
	case *tls.Conn:
		if w, ok := c.NetConn().(*wire.Conn); ok {
			w.Switch()
			return &tlsOverWire{plain: plain{w}, tls: c, more: true}
		}
		return &foreignTLS{nc: c}
	case *wire.Conn:
		c.Switch()
		return &plain{c}
	}
	w := wire.Plain(nc)
	w.Switch()
	return &plain{w}
}

// Socket returns what is below TLS and below the wire.
func Socket(t Conn) net.Conn {
	nc := t.NetConn()
	if tc, ok := nc.(*tls.Conn); ok {
		nc = tc.NetConn()
	}
	if w, ok := nc.(*wire.Conn); ok {
		nc = w.NetConn()
	}
	return nc
}

// Acknowledged returns how many bytes the peer has taken: its host, where the kernel tells, else our socket.
func Acknowledged(t Conn) int64 {
	if s, ok := t.(*Stream); ok {
		return s.sent()
	}
	_, n := t.Counts()
	held, _ := wire.Unacknowledged(Socket(t))
	return n - held
}

// BoundUnsent bounds the bytes that the kernel holds and has not sent, if the transport is a socket's, or that a Stream does.
func BoundUnsent(t Conn, n int) {
	if s, ok := t.(*Stream); ok {
		s.bound(n)
		return
	}
	wire.BoundUnsent(Socket(t), n)
}

// SendsAfterClose reports whether Close, after Shut, loses nothing that was written, even if the peer is still sending.
func SendsAfterClose(t Conn) bool {
	_, ok := t.(*Stream)
	return ok
}

// Refused reports whether the peer's host has answered that the connection is gone.
func Refused(t Conn) bool {
	if s, ok := t.(*Stream); ok {
		return s.refused()
	}
	return wire.Refused(Socket(t))
}
