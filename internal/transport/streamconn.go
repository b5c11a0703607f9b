package transport

import (
	"net"
	"time"
)

// StreamConn is a Stream as a net.Conn: its calls wait. New takes the Stream out of it.
type StreamConn struct{ Stream *Stream }

// Read waits for input.
func (c StreamConn) Read(p []byte) (int, error) {
	if err := c.Stream.Wait(); err != nil {
		return 0, err
	}
	return c.Stream.Read(p)
}

// Write returns when p fits in the send buffer. A deadline cuts it off; what was taken is sent.
func (c StreamConn) Write(p []byte) (int, error) {
	if err := c.Stream.Write(p, false); err != nil {
		return 0, err
	}
	if err := c.Stream.Flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite ends our direction.
func (c StreamConn) CloseWrite() error { return c.Stream.Shut() }

// Close ends both directions: see [Stream.Close].
func (c StreamConn) Close() error { return c.Stream.Close() }

// LocalAddr returns the local address of what carries the stream.
func (c StreamConn) LocalAddr() net.Addr { return c.Stream.NetConn().LocalAddr() }

// RemoteAddr returns the remote address of what carries the stream.
func (c StreamConn) RemoteAddr() net.Addr { return c.Stream.NetConn().RemoteAddr() }

// SetDeadline sets both deadlines.
func (c StreamConn) SetDeadline(t time.Time) error {
	_ = c.Stream.SetReadDeadline(t)
	return c.Stream.SetWriteDeadline(t)
}

// SetReadDeadline bounds Read.
func (c StreamConn) SetReadDeadline(t time.Time) error { return c.Stream.SetReadDeadline(t) }

// SetWriteDeadline bounds Write.
func (c StreamConn) SetWriteDeadline(t time.Time) error { return c.Stream.SetWriteDeadline(t) }
