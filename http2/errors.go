package http2

import (
	"errors"
	"fmt"

	xhttp2 "golang.org/x/net/http2"
)

// StreamError is the error of a stream that the server, or this package, has reset (RFC 9113 §5.4.2).
type StreamError struct {
	// Code says why. CANCEL, 8, is what a TCP reset would be over HTTP/1.1 (RFC 8441 §5).
	Code uint32
	// Remote: the server has reset the stream.
	Remote bool
}

// Error names the code.
func (e *StreamError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the server"
	}
	return fmt.Sprintf("http2: %s has reset the stream: %s", who, xhttp2.ErrCode(e.Code))
}

// ConnectionError is the error of all streams of a connection that broke a rule of HTTP/2 (RFC 9113 §5.4.1) or exceeded a bound.
type ConnectionError struct {
	// Code is what was sent in GOAWAY, or received in one.
	Code uint32
	// Remote: the server has ended the connection.
	Remote bool
	// Reason says which rule, or quotes the server.
	Reason string
}

// Error gives the reason.
func (e *ConnectionError) Error() string {
	if e.Remote {
		return fmt.Sprintf("http2: the server has ended the connection: %s %q", xhttp2.ErrCode(e.Code), e.Reason)
	}
	return fmt.Sprintf("http2: the server broke a rule: %s: %s", xhttp2.ErrCode(e.Code), e.Reason)
}

func broken(code xhttp2.ErrCode, reason string) *ConnectionError {
	return &ConnectionError{Code: uint32(code), Reason: reason}
}

// ErrNotOffered is wrapped by the error of a dial if the server does not offer WebSockets over HTTP/2 and Pool.Require is set.
var ErrNotOffered = errors.New("http2: HTTP/1.1 was not tried, since Pool.Require is set")

// ErrPoolClosed is returned after Pool.Close.
var ErrPoolClosed = errors.New("http2: the pool is closed")

// errIdle ends a connection that has no streams.
var errIdle = errors.New("http2: the connection was idle")
