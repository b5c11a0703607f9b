// Package bare is a connection that decides nothing by itself: it sends no pings, answers no close frame, gives no peer
// up and ends only by Close. Its user is told of control frames, and sets deadlines in place of contexts. compat/gorilla
// is built on it. Package conn implements it, with the code that its own connections use, and sets the variables of this
// package when it is initialised: so nothing of it shows in conn's API.
package bare

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// ErrEnded is what a read returns when the peer has ended its stream without a close frame.
var ErrEnded = errors.New("websocket: the stream ended without a close frame")

// Handler is told of control frames (RFC 6455 §5.5), by the goroutine that reads. payload is valid during the call. An
// error ends the read that is in progress, which returns it; nothing may be read after that.
type Handler interface {
	// Ping reports whether the connection is to send the pong.
	Ping(payload []byte) (answer bool, err error)
	Pong(payload []byte) error
	// Close is told what the peer's close frame says, NoStatus if nothing, and returns the error of the read. It may
	// send a close frame; the connection does not.
	Close(code frame.StatusCode, reason string) error
}

// Options say what a connection is.
type Options struct {
	NetConn  net.Conn
	Role     frame.Role
	Handler  Handler
	Received []byte                  // what the peer sent behind its part of the opening handshake
	Response []byte                  // what is to be sent before the first frame, by Flush
	Deflate  handshake.DeflateParams // what was agreed on for compression; zero: nothing
}

// Conn is the connection. One goroutine at a time reads. The other methods may be called by any number of goroutines.
//
// The error of a read is the handler's, the deadline's, ErrEnded, what the network reported, or a *frame.Error: then the
// peer was told its code by a close frame, as far as it takes that within a second. After an error nothing may be read.
//
// The error of a write is the end of its context; or an *conn.InterruptedError, with which a part of the message was or
// will be sent; or a *conn.CloseError, if a close frame was sent or nothing more can be.
type Conn interface {
	// Read returns the next message.
	Read() (frame.Opcode, []byte, error)
	// Reader returns the next message as it is received. It must be read to its end before anything else is read, and must not be
	// used after that.
	Reader() (frame.Opcode, io.Reader, error)
	// SetReadLimit limits messages that begin from now on, in bytes; zero is no limit.
	SetReadLimit(n int64)

	// Flush sends what is not yet sent.
	Flush(ctx context.Context) error
	// Write sends a message; the error is frame.ErrInvalidUTF8 if it is text that is not UTF-8, and nothing is sent.
	// compress is no more than a wish.
	Write(ctx context.Context, op frame.Opcode, p []byte, compress bool) error
	// WritePrepared sends a message that is made for many connections.
	WritePrepared(ctx context.Context, m *outbox.Message) error
	// Writer begins a message that is sent in fragments.
	Writer(ctx context.Context, op frame.Opcode, compress bool) (Writer, error)
	// WriteControl sends a ping or a pong. If ctx ends while earlier frames wait for the peer, nothing is sent.
	WriteControl(ctx context.Context, op frame.Opcode, payload []byte) error
	// WriteClose sends a close frame, behind which nothing can be sent. The code and the reason must be valid.
	WriteClose(ctx context.Context, code frame.StatusCode, reason string) error
	// SetLevel sets the effort of compression, from 1 to 9, of messages that begin from now on. It may not be called
	// during a write.
	SetLevel(level int)

	// Close closes the socket; over TLS the peer is told before. The error is net.ErrClosed if that was done before.
	Close() error
}

// Writer is a message that is being sent. It is not for concurrent use, and must be ended by Close without an error, or by
// Abandon.
type Writer interface {
	io.Writer
	// Flush sends what is buffered as a fragment.
	Flush() error
	// Close sends the last fragment.
	Close() error
	SetContext(ctx context.Context)
	// Abandon gives the message up: nothing can be sent on the connection any more.
	Abandon()
}

var (
	// New makes a connection of one whose opening handshake is over.
	New func(Options) Conn
	// Tunnel connects to target, a host:port, through a proxy: http, https, whose TLS cfg configures, or socks5. dial connects
	// to the proxy.
	Tunnel func(ctx context.Context, proxy *url.URL, target string, dial DialFunc, cfg *tls.Config) (net.Conn, error)
)

// DialFunc is the DialContext of a net.Dialer.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)
