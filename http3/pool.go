package http3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/hostpool"
)

// Pool opens WebSockets as streams of HTTP/3 connections (RFC 9220), for [conn.DialOptions.Multiplexer]. Dials to one host and port whose
// DialOptions have the same TLS share a connection. It is made over UDP and without a proxy: Proxy and NetDial are used only where Dial goes
// over to HTTP/1.1. The zero value is ready. A Pool must not be copied, and may be used by any number of goroutines at once; its fields must not be
// changed after the first dial.
type Pool struct {
	// Require has Dial fail with an error that wraps ErrNotOffered where the server cannot be reached over UDP, or does not offer WebSockets
	// over HTTP/3. False: Dial uses HTTP/1.1.
	Require bool
	// QUIC configures connections. Nil: quic-go's defaults, with a keepalive of 20 seconds and 3 seconds for the handshake.
	// Receive windows that are not set are those of Configure.
	QUIC *quic.Config
	// IdleTimeout is how long a connection without streams is kept. Zero or less: 90 seconds.
	IdleTimeout time.Duration

	conns hostpool.Pool[*clientConn]
}

// ErrNotOffered is wrapped by the error of a dial if the server does not offer WebSockets over HTTP/3 and Pool.Require is set.
var ErrNotOffered = errors.New("http3: HTTP/1.1 was not tried, since Pool.Require is set")

// ErrPoolClosed is returned after Pool.Close.
var ErrPoolClosed = errors.New("http3: the pool is closed")

const (
	handshakeTimeout   = 3 * time.Second
	keepAlive          = 20 * time.Second
	defaultIdleTimeout = 90 * time.Second
)

// OpenStream is for [conn.Dial]: see [conn.Multiplexer].
func (p *Pool) OpenStream(ctx context.Context, r *conn.StreamRequest) (net.Conn, *http.Response, error) {
	nc, resp, err := p.conns.Open(ctx, r, func(forget func(*clientConn)) (*clientConn, error) { return p.dial(ctx, r, forget) })
	if p.Require && errors.Is(err, conn.ErrNoStreams) {
		err = fmt.Errorf("%w: %v", ErrNotOffered, err)
	}
	return nc, resp, err
}

// dial makes a connection, waits for the server's SETTINGS and reserves a stream.
func (p *Pool) dial(ctx context.Context, r *conn.StreamRequest, forget func(*clientConn)) (*clientConn, error) {
	cfg := &quic.Config{KeepAlivePeriod: keepAlive, HandshakeIdleTimeout: handshakeTimeout}
	if p.QUIC != nil {
		cfg = p.QUIC.Clone()
	}
	bound(cfg)
	r.TLS.NextProtos = []string{http3.NextProtoH3}
	addr := r.URL.Host
	if r.URL.Port() == "" {
		addr = net.JoinHostPort(r.URL.Hostname(), "443")
	}
	qc, err := quic.DialAddr(ctx, addr, r.TLS, cfg)
	if err != nil {
		return nil, explain(ctx, r.URL.Host, err)
	}
	idle := p.IdleTimeout
	if idle <= 0 {
		idle = defaultIdleTimeout
	}
	t := &http3.Transport{MaxResponseHeaderBytes: r.MaxHeaderBytes, DisableCompression: true}
	c := &clientConn{quic: qc, http3: t.NewClientConn(qc), idleTimeout: idle, forget: forget}
	context.AfterFunc(qc.Context(), c.over)
	select {
	case <-c.http3.ReceivedSettings():
	case <-qc.Context().Done():
		return nil, context.Cause(qc.Context())
	case <-ctx.Done():
		c.Shutdown(ctx.Err())
		return nil, ctx.Err()
	}
	if !c.http3.Settings().EnableExtendedConnect {
		err := fmt.Errorf("%w: %s does not send SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 9220 §3)", conn.ErrNoStreams, r.URL.Host)
		c.Shutdown(err)
		return nil, err
	}
	if !c.Reserve() {
		return nil, context.Cause(qc.Context())
	}
	return c, nil
}

// explain makes an error that has Dial use HTTP/1.1 of one that says that the server cannot be reached, or does not speak HTTP/3.
func explain(ctx context.Context, host string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	const noApplicationProtocol = 0x100 + 120 // an alert of TLS (RFC 9001 §4.8)
	var e *quic.TransportError
	if errors.As(err, &e) && e.ErrorCode.IsCryptoError() && e.ErrorCode != noApplicationProtocol {
		if cause := errors.Unwrap(e); cause != nil {
			err = cause
		}
		return err
	}
	return fmt.Errorf("%w: %s over UDP: %w", conn.ErrNoStreams, host, err)
}

// Close ends all connections, and with them all WebSockets that are open on them, without closing handshakes. Dials fail from now on.
// It returns ErrPoolClosed if it was called before.
func (p *Pool) Close() error { return p.conns.Close(ErrPoolClosed) }

// clientConn is one connection, with at most Streams streams: quic-go does not tell how many the server allows, and opening one more waits.
type clientConn struct {
	quic        *quic.Conn
	http3       *http3.ClientConn
	idleTimeout time.Duration
	forget      func(*clientConn)

	mu      sync.Mutex
	streams int // open or promised
	idle    *time.Timer
	leaving bool
}

// Reserve promises a stream.
func (c *clientConn) Reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving || c.streams >= Streams || c.quic.Context().Err() != nil {
		return false
	}
	if c.streams++; c.idle != nil {
		c.idle.Stop()
	}
	return true
}

// release gives a stream back.
func (c *clientConn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams--; c.streams > 0 {
		return
	}
	c.idle = time.AfterFunc(c.idleTimeout, func() {
		c.mu.Lock()
		c.leaving = c.streams == 0
		leaving := c.leaving
		c.mu.Unlock()
		if leaving {
			c.Shutdown(errors.New("the connection was idle"))
		}
	})
}

// Open sends an extended CONNECT and waits for the response.
func (c *clientConn) Open(ctx context.Context, r *conn.StreamRequest) (net.Conn, *http.Response, error) {
	s, err := c.http3.OpenRequestStream(ctx)
	if err != nil {
		c.release()
		return nil, nil, fmt.Errorf("%w: %w", hostpool.ErrNotProcessed, err)
	}
	state := c.quic.ConnectionState().TLS
	nc := &dialed{streamConn: streamConn{stream: s, endpoint: endpoint{c.quic.LocalAddr(), c.quic.RemoteAddr(), &state}}, release: sync.OnceFunc(c.release)}
	resp, err := exchange(ctx, s, r)
	if err != nil {
		_ = nc.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, err
	}
	return nc, resp, nil
}

// exchange sends the request and reads the response, until ctx ends.
func exchange(ctx context.Context, s *http3.RequestStream, r *conn.StreamRequest) (*http.Response, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req := &http.Request{Method: http.MethodConnect, Proto: "websocket", ProtoMajor: 3, URL: r.URL, Host: r.Host, Header: r.Header}
	if err := s.SendRequestHeader(req); err != nil {
		return nil, err
	}
	for {
		resp, err := s.ReadResponse()
		if err != nil || resp.StatusCode >= http.StatusOK {
			return resp, err
		}
	}
}

// dialed is a client's stream.
type dialed struct {
	streamConn
	release func()
}

// Close ends both directions.
func (c *dialed) Close() error {
	defer c.release()
	return c.streamConn.Close()
}

// over takes a connection that has ended out of its pool.
func (c *clientConn) over() { c.forget(c) }

// Shutdown ends the connection because of err.
func (c *clientConn) Shutdown(err error) {
	go func() { _ = c.quic.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), err.Error()) }()
}

// Await waits until the connection has ended.
func (c *clientConn) Await() { <-c.quic.Context().Done() }

var _ conn.Multiplexer = (*Pool)(nil)
