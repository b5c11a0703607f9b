package websocket

import (
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/bare"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// Conn is a WebSocket connection. Upgrader.Upgrade and Dialer.Dial make one, and Close must end it.
//
// One goroutine at a time may read: NextReader, ReadMessage, ReadJSON, SetReadLimit and the setters of handlers.
// SetReadDeadline, all methods that write and the writers of NextWriter may be used by any number of goroutines. One message
// at a time is open: NextWriter, WriteMessage, WriteJSON and WritePreparedMessage, called by any goroutine, end the writer that
// is open as its Close does. What was written to it is a whole message then, and its further calls return an error. So
// goroutines that write at the same time use WriteMessage, or have a lock around NextWriter and Close.
type Conn struct {
	nc          net.Conn
	engine      bare.Conn
	subprotocol string
	compresses  bool
	bufferSize  int        // of NextWriter, in bytes
	pool        BufferPool // of its buffers; nil: this package's own

	// What follows is for the goroutine that reads.
	message    *messageReader // not yet read to its end
	readErr    error          // of every read from now on
	readErrs   int            // reads that have returned it
	handlePing func(appData string) error
	handlePong func(appData string) error
	// handleClose and the others are nil for the default.
	handleClose func(code int, text string) error

	deadline     atomic.Int64 // of writes
	uncompressed atomic.Bool  // EnableWriteCompression(false)
	levelZero    atomic.Bool  // SetCompressionLevel(0)
	order        writeOrder
	writeErr     atomic.Pointer[error] // of every write from now on
}

// established is the result of an opening handshake.
type established struct {
	nc          net.Conn
	role        frame.Role
	subprotocol string
	deflate     handshake.DeflateParams
	received    []byte // behind the client's request, or the server's response
	response    []byte // of the server, to be sent
	bufferSize  int
	pool        BufferPool
}

// Sizes of NextWriter's buffer, in bytes: where none is given, and the largest.
const (
	defaultBufferSize = 4 << 10
	maxBufferSize     = 1 << 20
)

func newConn(e established) *Conn {
	c := &Conn{
		nc: e.nc, subprotocol: e.subprotocol, bufferSize: e.bufferSize, pool: e.pool,
		compresses: e.deflate != handshake.DeflateParams{},
	}
	if c.bufferSize <= 0 {
		c.bufferSize = defaultBufferSize
	}
	c.bufferSize = min(c.bufferSize, maxBufferSize)
	c.engine = bare.New(bare.Options{
		NetConn: e.nc, Role: e.role, Handler: (*control)(c), Received: e.received, Response: e.response, Deflate: e.deflate,
	})
	return c
}

// Subprotocol returns the subprotocol that was agreed on, "" if none was.
func (c *Conn) Subprotocol() string { return c.subprotocol }

// LocalAddr returns the local address of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// NetConn returns the connection below, which is a *tls.Conn with TLS, and else the socket. Whoever reads from it or writes to
// it breaks the WebSocket.
func (c *Conn) NetConn() net.Conn { return socketOf(c.nc) }

// socketOf returns the socket of a connection without TLS to the peer: what is below the wire, and below the TLS of a
// proxy, which must not be taken for the peer's.
func socketOf(nc net.Conn) net.Conn {
	for {
		w, ok := nc.(*wire.Conn)
		if !ok {
			return nc
		}
		nc = w.NetConn()
		if tc, ok := nc.(*tls.Conn); ok && w.Tunnels() {
			nc = tc.NetConn()
		}
	}
}

// UnderlyingConn is NetConn.
//
// Deprecated: use NetConn.
func (c *Conn) UnderlyingConn() net.Conn { return c.NetConn() }

// Close closes the connection below without a close frame. Calls in progress end. For a closing handshake, send a
// CloseMessage and read until an error before.
func (c *Conn) Close() error {
	if err := c.engine.Close(); err != nil {
		return c.opError("close", net.ErrClosed)
	}
	return nil
}

// SetReadDeadline sets the time at which a read in progress, or a later one, fails. The error is a net.Error whose
// Timeout is true, and all reads after it return it. The zero time is no deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline sets the time at which writes that begin from now on fail, but for those of WriteControl. The error is
// a net.Error whose Timeout is true, and all writes after it return it. The zero time is no deadline.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.deadline.Store(numberOf(t))
	return nil
}

// SetReadLimit limits messages from the peer, in bytes, inflated if they were compressed. A longer one is ErrReadLimit, and
// the peer is told 1009. Zero and less are no limit, which is the default.
func (c *Conn) SetReadLimit(limit int64) { c.engine.SetReadLimit(limit) }

// EnableWriteCompression says whether text and binary messages are compressed from now on, if compression was agreed on.
// By default they are.
func (c *Conn) EnableWriteCompression(enable bool) { c.uncompressed.Store(!enable) }

// SetCompressionLevel sets the effort of compression from now on, as package compress/flate numbers it; -2 to 9. It must not
// be called during a write. Zero switches it off, and Huffman coding alone is level 1 here.
func (c *Conn) SetCompressionLevel(level int) error {
	switch {
	case level < -2 || level > 9:
		return errors.New("websocket: invalid compression level")
	case level == -2:
		level = 1
	case level == -1:
		level = 6
	}
	if c.levelZero.Store(level == 0); level > 0 {
		c.engine.SetLevel(level)
	}
	return nil
}
