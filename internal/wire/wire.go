package wire

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// ErrWouldBlock is what Read returns after Switch when no whole record is available.
// It is a net.Error with Temporary true, so crypto/tls keeps its state and can
// be asked again.
var ErrWouldBlock error = wouldBlock{}

type wouldBlock struct{}

func (wouldBlock) Error() string   { return "wire: no whole record is available yet" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// Conn is a net.Conn between crypto/tls and a socket. One goroutine at a time may
// use its read side (Read, Ready, Wait), and one may Write; any number may flush.
type Conn struct {
	// The fields that a message needs are in the first 192 bytes, three cache lines: one for both sides, and one for
	// each. With many connections they are seldom cached.
	descriptor syscall.RawConn // nil where readiness cannot be awaited
	pending    atomic.Int64
	written    atomic.Int64
	flushMu    sync.Mutex // one flush at a time; taken before mu
	mode       mode       // TLS or plain, by the first byte
	switched   bool       // messages have begun: see Switch
	dry        bool       // the last read got less than it asked for
	flushing   bool       // the head of the queue is with the kernel; guarded by mu
	patient    bool       // a write waits for the socket to take all; guarded by flushMu
	closed     atomic.Bool
	looping    atomic.Bool // within Loop: Close must not wait for it
	through    atomic.Bool // full records are sent at once: see WriteThrough
	left       int32       // bytes of the current record to hand over

	attempt attempt
	read    atomic.Int64

	in      []byte      // borrowed while bytes are in it
	r, w    int         // in[r:w] has not been handed over
	handle  func() bool // Loop's, while it runs
	readErr error       // final; reported once in[r:w] is used up

	mu     sync.Mutex // guards queue, lost and flushing
	queue  queue
	failed error // Write's, for Flush to report; guarded by flushMu
	nc     net.Conn
	poll   func(uintptr) bool // readable, bound when the connection is made
	ended  atomic.Bool        // the socket's end has been reported by Read
	lost   bool               // Close has dropped what was queued; guarded by mu
	tunnel bool               // TLS of nc is that of a proxy
}

type mode uint8

const (
	unknown mode = iota
	opening      // TLS, and so far nothing but handshake messages that are not encrypted
	records
	plain
)

const (
	headerSize = 5
	handshake  = 0x16 // TLS content type of a first record
	// maxRecord is the longest ciphertext that any TLS version allows; a longer
	// one is passed on at once for crypto/tls to refuse.
	maxRecord = 16384 + 2048
)

// New returns a Conn over nc that finds out from the first byte whether it
// carries TLS.
func New(nc net.Conn) *Conn { return newConn(nc, descriptorOf(nc)) }

// NewOver is New for a connection whose descriptor is given. The caller vouches that nc's Read and Write do nothing but
// read and write there.
func NewOver(nc net.Conn, descriptor syscall.RawConn) *Conn { return newConn(nc, descriptor) }

func newConn(nc net.Conn, descriptor syscall.RawConn) *Conn {
	c := &Conn{nc: nc, descriptor: descriptor}
	if c.descriptor != nil {
		c.poll, c.attempt.call = c.readable, c.writable
	}
	return c
}

// TLS returns a Conn over nc that takes the bytes for records from the first.
func TLS(nc net.Conn) *Conn {
	c := New(nc)
	c.mode = opening
	return c
}

// Plain returns a Conn over nc that takes the bytes as they are.
func Plain(nc net.Conn) *Conn {
	c := New(nc)
	c.mode = plain
	return c
}

// Tunnel is Plain over a connection to a proxy, whose TLS, if it is a *tls.Conn, says nothing of the peer.
func Tunnel(nc net.Conn) *Conn {
	c := Plain(nc)
	c.tunnel = true
	return c
}

// Tunnels reports whether Tunnel made c.
func (c *Conn) Tunnels() bool { return c.tunnel }

// Switch turns c to messages: from now on Read returns ErrWouldBlock instead of
// waiting, and Write buffers until Flush. No other call may be in progress.
func (c *Conn) Switch() { c.switched = true }

// Plaintext reports whether the connection was found not to carry TLS.
func (c *Conn) Plaintext() bool { return c.mode == plain }

// Read hands over bytes of one record. Before Switch it waits for them; after it
// never does.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for !c.Ready() {
		if c.switched {
			return 0, ErrWouldBlock
		}
		if c.mode == plain {
			return c.readPlain(p)
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	if c.r == c.w {
		return 0, c.end()
	}
	if c.mode == opening && c.left == 0 {
		c.open()
	}
	n := c.w - c.r
	if c.mode != plain {
		if c.left == 0 {
			c.left = int32(recordSize(c.in[c.r:c.w]))
		}
		n = min(n, int(c.left))
	}
	n = copy(p, c.in[c.r:c.r+n])
	c.r += n
	if c.mode != plain {
		c.left -= int32(n)
	}
	if c.r == c.w {
		c.release()
	}
	return n, nil
}

// readPlain reads past the buffer: net/http brings its own before Switch.
func (c *Conn) readPlain(p []byte) (int, error) {
	n, err := c.nc.Read(p)
	c.read.Add(int64(n))
	if err == io.EOF {
		c.ended.Store(true)
	}
	return n, err
}

// Ready reports whether Read has something to say without waiting: a whole
// record, or the connection's end.
func (c *Conn) Ready() bool {
	n := c.w - c.r
	switch {
	case c.readErr != nil || c.left > 0:
		return true
	case n == 0:
		return false
	case c.mode == plain:
		return true
	case c.mode == unknown:
		if c.in[c.r] != handshake {
			c.mode = plain
			return true
		}
		c.mode = opening
	}
	return n >= recordSize(c.in[c.r:c.w])
}

// recordSize returns the length of the record that b begins with, header
// included; of one that no TLS version allows, just what has arrived.
func recordSize(b []byte) int {
	if len(b) < headerSize {
		return headerSize
	}
	if n := declaredSize(b); n <= headerSize+maxRecord {
		return n
	}
	return len(b)
}

// declaredSize returns the length that the record's header claims, the header included. b holds
// the header.
func declaredSize(b []byte) int { return headerSize + (int(b[3])<<8 | int(b[4])) }

// Wait blocks until Ready. An expired read deadline ends it with
// os.ErrDeadlineExceeded and changes nothing; the connection's own end is left
// for Read to report.
func (c *Conn) Wait() error {
	for !c.Ready() {
		if err := c.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads once from the socket, waiting until it can. Only an expired
// deadline is returned; other errors go to readErr.
func (c *Conn) fill() error {
	var err error
	if c.descriptor != nil {
		err = socketError(c.descriptor.Read(c.poll))
	} else {
		var n int
		c.reserve(bufpool.Medium)
		n, err = c.nc.Read(c.in[c.w:])
		c.took(n)
	}
	if err == nil && c.readErr == nil {
		return nil
	}
	if c.r == c.w {
		c.release()
	}
	if err == nil {
		return nil
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return err
	}
	c.readErr = err
	return nil
}

// took notes that n bytes came.
func (c *Conn) took(n int) {
	c.w += n
	c.read.Add(int64(n))
}

// readable is called when the socket may be readable; false waits for more.
func (c *Conn) readable(fd uintptr) bool {
	if c.handle != nil {
		return c.loopOnce(fd)
	}
	return c.readOnce(fd)
}

// reserve makes room behind in[r:w] for the rest of a record at least, and for
// min bytes at least.
func (c *Conn) reserve(min int) {
	n := c.w - c.r
	if c.in != nil && len(c.in) >= min && len(c.in)-c.w >= len(c.in)/2 {
		return
	}
	if len(c.in) >= min && n < len(c.in)/2 {
		copy(c.in, c.in[c.r:c.w])
		c.r, c.w = 0, n
		return
	}
	c.move(bufpool.Get(max(min, 2*n)))
}

// shrink exchanges the buffer for the smallest that holds the beginning of a
// record, so that a peer that stalls there costs little.
func (c *Conn) shrink() {
	n := c.w - c.r
	if n == 0 {
		c.release()
	} else if n <= len(c.in)/4 && len(c.in) > bufpool.Small {
		c.move(bufpool.Get(n))
	}
}

func (c *Conn) move(to []byte) {
	n := copy(to, c.in[c.r:c.w])
	bufpool.Put(c.in)
	c.in, c.r, c.w = to, 0, n
}

func (c *Conn) release() {
	bufpool.Put(c.in)
	c.in, c.r, c.w = nil, 0, 0
}

// end is the socket's final answer. The end of the stream inside a record is
// io.ErrUnexpectedEOF; between records it is io.EOF, and Truncated tells it from
// the peer's close_notify.
func (c *Conn) end() error {
	c.ended.Store(true)
	if c.readErr == io.EOF && c.left > 0 {
		return io.ErrUnexpectedEOF
	}
	return c.readErr
}

// Truncated reports whether Read has reported the socket's end. When crypto/tls
// says io.EOF and Truncated is false, the peer sent close_notify.
func (c *Conn) Truncated() bool { return c.ended.Load() }

// Drop returns the read side's buffer. Call it when nothing will be read again.
func (c *Conn) Drop() {
	c.left = 0
	if c.readErr == nil {
		c.readErr = net.ErrClosed
	}
	c.release()
}

// BytesRead returns the bytes taken from the socket so far.
func (c *Conn) BytesRead() int64 { return c.read.Load() }

// LocalAddr returns the socket's local address.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the socket's remote address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Resumable reports whether a Flush that its deadline cuts off may be followed by another. A
// tls.Conn, such as the one to an HTTPS proxy, takes nothing more after that.
func (c *Conn) Resumable() bool {
	_, isTLS := c.nc.(*tls.Conn)
	return !isTLS
}

// NetConn returns the socket.
func (c *Conn) NetConn() net.Conn { return c.nc }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline bounds Read before Switch, and Wait.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline bounds Write before Switch. After it crypto/tls, which sets
// one around its close_notify, is not heard: Write cannot block there.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.switched {
		return nil
	}
	return c.nc.SetWriteDeadline(t)
}

// SetFlushDeadline bounds Flush. Bytes that were not written stay queued, in order.
func (c *Conn) SetFlushDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }
