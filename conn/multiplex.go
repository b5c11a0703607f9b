package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// ErrNoStreams is wrapped by the error of a [Multiplexer] if the server does not take WebSockets as streams: Dial uses HTTP/1.1 then.
var ErrNoStreams = errors.New("websocket: the server does not offer WebSockets over this version of HTTP")

// Multiplexer opens WebSockets as streams of connections that carry several. The packages http2 and http3 have one each. Its methods may be
// called by any number of goroutines at once.
type Multiplexer interface {
	// OpenStream sends an extended CONNECT and returns the response, whatever its status, with the stream behind it. If the server takes
	// none, the error wraps ErrNoStreams. ctx bounds opening only.
	OpenStream(ctx context.Context, r *StreamRequest) (net.Conn, *http.Response, error)
}

// StreamRequest is the opening handshake that a [Multiplexer] sends.
type StreamRequest struct {
	URL    *url.URL    // its scheme is https
	Host   string      // host[:port], for :authority
	Header http.Header // all fields but pseudo-headers
	// TLS is for a connection to the host; the Multiplexer may change it, and sets NextProtos.
	TLS *tls.Config
	// Dial makes a connection to the host, through a proxy if there is one, without TLS to it.
	Dial func(ctx context.Context) (net.Conn, error)
	// Share tells which requests to a host may share a connection: those for which it is equal.
	Share any
	// MaxHeaderBytes limits the head of the response.
	MaxHeaderBytes int
}

// share is what must be equal for two attempts to share a connection, besides the host.
type share struct {
	tls         *tls.Config
	crossOrigin bool
}

// dialStream connects by the Multiplexer.
func (a *attempt) dialStream(ctx context.Context) (*Conn, *http.Response, error) {
	cfg, err := a.tlsConfig()
	if err != nil {
		return nil, nil, err
	}
	nc, resp, err := a.o.Multiplexer.OpenStream(ctx, &StreamRequest{
		URL: httpURL(a.u), Host: a.request.Host(), Header: a.request.StreamHeader(), TLS: cfg,
		Dial: a.dialBelowTLS, Share: share{a.o.TLS, a.crossOrigin}, MaxHeaderBytes: headLimits(a.o.MaxHeaderBytes, true).TotalBytes,
	})
	if err == nil && (isNil(nc) || resp == nil) {
		if !isNil(nc) {
			_ = nc.Close()
		}
		err = errors.New("the Multiplexer returned no stream or no response, and no error")
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, fmt.Errorf("websocket: dial %s://%s: %w", a.u.Scheme, a.u.Host, tlsconf.Explain(err))
	}
	storeCookies(a.o.Jar, a.u, resp)
	agreed, err := a.request.CheckStream(resp)
	var params handshake.DeflateParams
	if err == nil {
		params, _, err = a.policy.Check(agreed.Extensions)
	}
	if err != nil {
		if e, ok := errors.AsType[*HandshakeError](err); ok && resp.StatusCode/100 != 2 && !a.follow(resp, e) {
			_ = readBody(ctx, nc, resp, nil)
		}
		_ = nc.Close()
		return nil, resp, err
	}
	_ = nc.SetDeadline(time.Time{})
	c, err := a.open(transport.New(nc), agreed, params, nil)
	return c, resp, err
}

// dialBelowTLS makes a connection to the host, without TLS to it.
func (a *attempt) dialBelowTLS(ctx context.Context) (net.Conn, error) {
	nc, _, err := a.reach(ctx)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return nc, nil
}
