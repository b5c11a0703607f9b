package http3

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/httpstream"
)

// The limits that Configure sets where the server has none. A stream that nobody reads keeps StreamBuffer bytes of its connection's
// ConnectionBuffer, so that as many as a client may open hold up no other.
const (
	StreamBuffer     = 128 << 10
	ConnectionBuffer = 16 << 20
	Streams          = 100
)

// Configure sets a server up for WebSockets over HTTP/3, before it serves: it puts [Handler] around srv.Handler, and bounds the buffers and
// the number of streams in srv.QUICConfig where that has no bounds. A nil srv.Handler is http.DefaultServeMux.
func Configure(srv *http3.Server) {
	next := srv.Handler
	if next == nil {
		next = http.DefaultServeMux
	}
	srv.Handler = Handler(next)
	cfg := new(quic.Config)
	if srv.QUICConfig != nil {
		cfg = srv.QUICConfig.Clone()
	}
	bound(cfg)
	if cfg.MaxIncomingStreams == 0 {
		cfg.MaxIncomingStreams = Streams
	}
	srv.QUICConfig = cfg
}

// bound sets the receive windows that are not set.
func bound(cfg *quic.Config) {
	setDefault(&cfg.InitialStreamReceiveWindow, StreamBuffer)
	setDefault(&cfg.MaxStreamReceiveWindow, StreamBuffer)
	setDefault(&cfg.InitialConnectionReceiveWindow, ConnectionBuffer)
	setDefault(&cfg.MaxConnectionReceiveWindow, ConnectionBuffer)
}

func setDefault(n *uint64, value uint64) {
	if *n == 0 {
		*n = value
	}
}

// Handler returns a handler that lets conn.Accept take over streams of HTTP/3, which then outlive next, as connections of HTTP/1.1 do. It belongs
// outside of all middleware, and [Configure] puts it there. Other requests, and those of other versions of HTTP, are passed on unchanged.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		streamer, ok := w.(http3.HTTPStreamer)
		if !ok || !handshake.IsExtendedConnect(r) {
			next.ServeHTTP(w, r)
			return
		}
		var shield httpstream.Shield
		var taken *served
		take := func(_ http.ResponseWriter, header http.Header) (net.Conn, func() error, error) {
			if err := shield.Take(); err != nil {
				return nil, nil, err
			}
			taken = newServed(w, streamer, header, r)
			return taken, taken.respond, nil
		}
		panicking := true
		defer func() {
			if panicking && taken != nil {
				_ = taken.Close()
			}
		}()
		next.ServeHTTP(shield.Writer(w), shield.Request(r, httpstream.WithTaker(r.Context(), take)))
		panicking = false
	})
}

// served is a stream of a server. The first call that uses it sends the response.
type served struct {
	w        http.ResponseWriter
	streamer http3.HTTPStreamer
	header   http.Header
	endpoint endpoint

	once sync.Once
	conn *streamConn
	err  error
}

func newServed(w http.ResponseWriter, streamer http3.HTTPStreamer, header http.Header, r *http.Request) *served {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	remote, _ := r.Context().Value(http3.RemoteAddrContextKey).(net.Addr)
	return &served{w: w, streamer: streamer, header: header, endpoint: endpoint{local, remote, r.TLS}}
}

// respond sends the response and takes the stream over.
func (c *served) respond() error {
	c.once.Do(func() {
		httpstream.SetHeader(c.w.Header(), c.header)
		c.w.WriteHeader(http.StatusOK)
		s, err := c.streamer.HTTPStream()
		if err != nil {
			c.err = fmt.Errorf("http3: the stream cannot be taken over: %w", err)
			return
		}
		c.conn = &streamConn{stream: s, endpoint: c.endpoint}
	})
	return c.err
}

// use calls f with the stream.
func (c *served) use(f func(*streamConn) error) error {
	if err := c.respond(); err != nil {
		return err
	}
	return f(c.conn)
}

func (c *served) Read(p []byte) (n int, err error) {
	err = c.use(func(s *streamConn) error { n, err = s.Read(p); return err })
	return n, err
}

func (c *served) Write(p []byte) (n int, err error) {
	err = c.use(func(s *streamConn) error { n, err = s.Write(p); return err })
	return n, err
}

func (c *served) CloseWrite() error { return c.use((*streamConn).CloseWrite) }
func (c *served) Close() error      { return c.use((*streamConn).Close) }
func (c *served) SetDeadline(t time.Time) error {
	return c.use(func(s *streamConn) error { return s.SetDeadline(t) })
}
func (c *served) SetReadDeadline(t time.Time) error {
	return c.use(func(s *streamConn) error { return s.SetReadDeadline(t) })
}
func (c *served) SetWriteDeadline(t time.Time) error {
	return c.use(func(s *streamConn) error { return s.SetWriteDeadline(t) })
}
func (c *served) LocalAddr() net.Addr                   { return c.endpoint.LocalAddr() }
func (c *served) RemoteAddr() net.Addr                  { return c.endpoint.RemoteAddr() }
func (c *served) TLSState() (tls.ConnectionState, bool) { return c.endpoint.TLSState() }
func (c *served) HTTPVersion() string                   { return c.endpoint.HTTPVersion() }
