package http2

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/internal/hostpool"
)

// clientConn is the client's side of one HTTP/2 connection. Two goroutines serve it: read handles what the server sends, write sends what
// streams and the connection have to send.
type clientConn struct {
	nc     net.Conn
	socket net.Conn       // below TLS
	framer *xhttp2.Framer // read's for reading, write's for writing
	in     *boundedReader // read's
	out    *bufio.Writer  // write's

	settled chan struct{}     // closed when the server's first SETTINGS have come
	done    chan struct{}     // closed when the connection is over
	written chan struct{}     // closed when write has ended
	ended   chan struct{}     // closed when both goroutines have ended
	wake    chan struct{}     // tells write that there is something; holds one
	forget  func(*clientConn) // takes the connection out of its pool; called once

	idleTimeout time.Duration
	maxStreams  int // of the pool; zero or less: no limit

	encoder hpack.Encoder // write's
	block   blockBuffer   // write's: a header block

	mu       sync.Mutex
	streams  map[uint32]*clientStream
	reserved int             // streams that were promised and have no number yet
	opening  []*clientStream // wait for their HEADERS
	sendable []*clientStream // have something to send, in turn
	control  []func() error  // frames to write before any of a stream
	lastID   uint32          // of our streams
	peer     peerSettings
	window   int64 // what we may send on the connection, in bytes
	owed     int64 // of the receive window: a frame that returns it is in control, unless it is 0
	leaving  bool  // GOAWAY was received, or the idle timer has fired: no new streams
	failed   error // why it is over
	idle     *time.Timer
	heard    time.Time // when the server was last heard
	probing  bool      // a PING of ours is not answered yet
	budget   budget
}

// peerSettings is what the server has set (RFC 9113 §6.5.2).
type peerSettings struct {
	known      bool
	webSockets bool
	maxStreams uint32
	window     int64 // initial, of a stream
	maxFrame   int
	headerList uint32 // bytes
}

// The receive windows. The connection's is returned as soon as bytes arrive, so that a stream that nobody reads holds up no other; what is
// in memory is bounded by the streams' windows.
const (
	streamWindow     = 256 << 10
	connectionWindow = 1 << 30
	initialWindow    = 65_535 // before SETTINGS and WINDOW_UPDATE (RFC 9113 §6.9.2)
	maxWindow        = 1<<31 - 1
	bufferSize       = 32 << 10
)

func newClientConn(nc, socket net.Conn, maxStreams int, idleTimeout time.Duration, maxHeaderBytes int) *clientConn {
	c := &clientConn{
		nc: nc, socket: socket, out: bufio.NewWriterSize(nc, bufferSize),
		settled: make(chan struct{}), done: make(chan struct{}), written: make(chan struct{}), ended: make(chan struct{}), wake: make(chan struct{}, 1),
		idleTimeout: idleTimeout, maxStreams: maxStreams,
		streams: make(map[uint32]*clientStream), window: initialWindow,
		peer:  peerSettings{maxStreams: 1<<32 - 1, window: initialWindow, maxFrame: maxFrame, headerList: 1<<32 - 1},
		heard: time.Now(),
	}
	c.in = &boundedReader{r: nc, most: 2*int64(maxHeaderBytes) + 8*bufferSize}
	c.framer = xhttp2.NewFramer(c.out, bufio.NewReaderSize(c.in, bufferSize))
	c.framer.SetMaxReadFrameSize(maxFrame)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.MaxHeaderListSize = uint32(maxHeaderBytes)
	c.encoder = *hpack.NewEncoder(&c.block)
	c.control = append(c.control, func() error { return c.preface(uint32(maxHeaderBytes)) })
	return c
}

// preface begins the connection (RFC 9113 §3.4).
func (c *clientConn) preface(maxHeaderBytes uint32) error {
	if _, err := c.out.WriteString(xhttp2.ClientPreface); err != nil {
		return err
	}
	err := c.framer.WriteSettings(
		xhttp2.Setting{ID: xhttp2.SettingEnablePush, Val: 0},
		xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: streamWindow},
		xhttp2.Setting{ID: xhttp2.SettingMaxHeaderListSize, Val: maxHeaderBytes},
	)
	if err != nil {
		return err
	}
	return c.framer.WriteWindowUpdate(0, connectionWindow-initialWindow)
}

// takesWebSockets reports whether the server takes an extended CONNECT (RFC 8441 §3).
func (c *clientConn) takesWebSockets() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer.webSockets
}

// err returns why the connection is over.
func (c *clientConn) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// quietTime is how long a connection may have been silent for a new stream to be opened without a PING.
const (
	quietTime   = 5 * time.Second
	pingTimeout = 5 * time.Second
)

// Reserve promises a stream, if the connection takes another one.
func (c *clientConn) Reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.inUse()
	if c.leaving || c.failed != nil || n >= int(min(c.peer.maxStreams, 1<<30)) || c.maxStreams > 0 && n >= c.maxStreams || c.lastID > 1<<31-3-2*uint32(c.reserved+1) {
		return false
	}
	c.reserved++
	c.stopIdle()
	c.probeIfQuiet()
	return true
}

// probeIfQuiet asks for an answer if the server has been silent. The lock is held.
func (c *clientConn) probeIfQuiet() {
	if time.Since(c.heard) > quietTime {
		c.probe()
	}
}

// doubt asks for an answer, since a request got none.
func (c *clientConn) doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probe()
}

// inUse returns how many streams are open, about to be opened or promised. The lock is held.
func (c *clientConn) inUse() int { return len(c.streams) + len(c.opening) + c.reserved }

// probe asks the server for an answer, and gives the connection up without one. The lock is held.
func (c *clientConn) probe() {
	if c.probing || c.failed != nil {
		return
	}
	c.probing = true
	c.enqueue(func() error { return c.framer.WritePing(false, [8]byte{'w', 's', 's'}) })
	time.AfterFunc(pingTimeout, func() {
		c.mu.Lock()
		silent := c.probing
		c.mu.Unlock()
		if silent {
			c.Shutdown(errSilent)
		}
	})
}

func (c *clientConn) stopIdle() {
	if c.idle != nil {
		c.idle.Stop()
		c.idle = nil
	}
}

// checkIdle starts the idle timer if there are no streams. If there will be none either, the connection ends. The lock is held.
func (c *clientConn) checkIdle() {
	if c.inUse() > 0 || c.failed != nil {
		return
	}
	if c.leaving {
		go c.Shutdown(errIdle)
		return
	}
	c.stopIdle()
	c.idle = time.AfterFunc(c.idleTimeout, func() {
		c.mu.Lock()
		idle := c.inUse() == 0
		c.leaving = c.leaving || idle
		c.mu.Unlock()
		if idle {
			c.Shutdown(errIdle)
		}
	})
}

// enqueue has a frame written before those of streams. The lock is held.
func (c *clientConn) enqueue(frame func() error) {
	c.control = append(c.control, frame)
	c.wakeWriter()
}

func (c *clientConn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Shutdown ends the connection because of err, and with it all its streams. A GOAWAY says why, if it can be sent.
func (c *clientConn) Shutdown(err error) {
	c.mu.Lock()
	if c.failed != nil {
		c.mu.Unlock()
		return
	}
	c.failed = err
	c.stopIdle()
	streams := make([]*clientStream, 0, len(c.streams)+len(c.opening))
	for _, s := range c.streams {
		if c.probing { // nothing has come since the PING: the connection is dead
			s.answer(nil, fmt.Errorf("%w: %w", hostpool.ErrNotProcessed, err))
		}
		streams = append(streams, s)
	}
	for _, s := range c.opening { // nothing of them was sent
		s.answer(nil, fmt.Errorf("%w: %w", hostpool.ErrNotProcessed, err))
		streams = append(streams, s)
	}
	clear(c.streams)
	c.opening, c.sendable = nil, nil
	c.mu.Unlock()
	_ = c.socket.SetWriteDeadline(time.Now().Add(goAwayTime))
	close(c.done)
	for _, s := range streams {
		s.fail(err)
	}
}

// Await waits until both goroutines have ended.
func (c *clientConn) Await() { <-c.ended }

// goAwayTime bounds writing the GOAWAY of a connection that ends, and what its streams have left.
const goAwayTime = time.Second

// blockBuffer collects a header block.
type blockBuffer []byte

func (b *blockBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
