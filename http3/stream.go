package http3

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// stream is what a server's and a client's stream have in common.
type stream interface {
	io.ReadWriteCloser // Close ends our direction
	CancelRead(quic.StreamErrorCode)
	CancelWrite(quic.StreamErrorCode)
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// endpoint is what is known of a connection's two ends.
type endpoint struct {
	local, remote net.Addr
	tls           *tls.ConnectionState
}

// LocalAddr returns the address of this side.
func (e endpoint) LocalAddr() net.Addr { return orUnknown(e.local) }

// RemoteAddr returns the address of the peer.
func (e endpoint) RemoteAddr() net.Addr { return orUnknown(e.remote) }

// TLSState returns the state of QUIC's TLS.
func (e endpoint) TLSState() (tls.ConnectionState, bool) {
	if e.tls == nil {
		return tls.ConnectionState{}, false
	}
	return *e.tls, true
}

// HTTPVersion returns "HTTP/3".
func (e endpoint) HTTPVersion() string { return "HTTP/3" }

func orUnknown(addr net.Addr) net.Addr {
	if addr == nil {
		return &net.UDPAddr{}
	}
	return addr
}

// streamConn is a stream as a net.Conn. The end of one direction is that of QUIC's stream, its reset has the code H3_REQUEST_CANCELLED (RFC
// 9220 §3).
type streamConn struct {
	stream
	endpoint
	ended atomic.Bool // our direction was ended in order
}

// CloseWrite ends our direction behind what was written.
func (c *streamConn) CloseWrite() error {
	c.ended.Store(true)
	return c.stream.Close()
}

// Close ends both directions. Unless CloseWrite was called before, what was not sent is dropped.
func (c *streamConn) Close() error {
	code := quic.StreamErrorCode(http3.ErrCodeNoError)
	if !c.ended.Load() {
		code = quic.StreamErrorCode(http3.ErrCodeRequestCanceled)
		c.CancelWrite(code)
	}
	c.CancelRead(code)
	return nil
}
