package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/hostpool"
)

// Pool opens WebSockets as streams of HTTP/2 connections (RFC 8441), for [conn.DialOptions.Multiplexer]. Dials to one host and port
// whose DialOptions have the same TLS share a connection, made with the Proxy and NetDial of the first of them; another connection is made
// when the server allows no more streams. A dial on a connection that turns out to be dead, since nothing comes any more, is repeated on
// another one. The zero value is ready. A Pool must not be copied, and may be used by any number of goroutines at once; its fields must not be changed after the first dial.
type Pool struct {
	// Require has Dial fail with an error that wraps ErrNotOffered where the server does not offer WebSockets over
	// HTTP/2. False: Dial uses HTTP/1.1, over a connection of its own.
	Require bool
	// IdleTimeout is how long a connection without streams is kept. Zero or less: 90 seconds.
	IdleTimeout time.Duration
	// MaxStreams is the most WebSockets on one connection. Zero or less: what the server allows.
	MaxStreams int

	conns hostpool.Pool[*clientConn]
}

const defaultIdleTimeout = 90 * time.Second

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
	nc, err := r.Dial(ctx)
	if err != nil {
		return nil, err
	}
	r.TLS.NextProtos = []string{"h2", "http/1.1"}
	tc := tls.Client(nc, r.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	if proto := tc.ConnectionState().NegotiatedProtocol; proto != "h2" {
		_ = nc.Close()
		return nil, fmt.Errorf("%w: %s does not speak HTTP/2 (ALPN: %q)", conn.ErrNoStreams, r.URL.Host, proto)
	}
	idleTimeout := p.IdleTimeout
	if idleTimeout <= 0 {
		idleTimeout = defaultIdleTimeout
	}
	c := newClientConn(tc, nc, p.MaxStreams, idleTimeout, r.MaxHeaderBytes)
	c.forget = forget
	go c.read()
	go c.write()
	select {
	case <-c.settled:
	case <-c.done:
		return nil, c.err()
	case <-ctx.Done():
		c.Shutdown(ctx.Err())
		return nil, ctx.Err()
	}
	switch {
	case !c.takesWebSockets():
		err = fmt.Errorf("%w: %s does not send SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3)", conn.ErrNoStreams, r.URL.Host)
	case !c.Reserve():
		err = fmt.Errorf("http2: %s allows no streams", r.URL.Host)
	default:
		return c, nil
	}
	c.Shutdown(err)
	return nil, err
}

// Close ends all connections, and with them all WebSockets that are open on them, without closing handshakes. Dials fail from now on.
// It returns ErrPoolClosed if it was called before.
func (p *Pool) Close() error { return p.conns.Close(ErrPoolClosed) }
