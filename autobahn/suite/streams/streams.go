// Package streams is the part of the conformance suite that is about HTTP/2: how a server treats the streams that carry WebSockets (RFC 8441).
// The cases about messages are those of package suite, which runs them over streams too.
//
// For most uses call [Run], or
//
//	wss conform -http2 wss://localhost:8443/echo
//
// The server has to echo messages. Each case has a connection of its own.
package streams

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Options say what to test.
type Options struct {
	// URL is the server's, wss. It must echo messages.
	URL string
	// TLS is the client's configuration. Its NextProtos are replaced. Nil: the system's certificate authorities.
	TLS *tls.Config
	// Timeout bounds each wait for the server. Zero or less: 5 seconds.
	Timeout time.Duration
}

// Result is what has become of a case.
type Result struct {
	ID, Description, Expectation string
	// Problem says what the server did instead. Empty: the case has passed.
	Problem string
	// Note says what the server does not see, though nothing depends on it.
	Note string
}

// Passed reports whether the server did what it should.
func (r Result) Passed() bool { return r.Problem == "" }

// ErrNotOffered is wrapped by Run's error for a server that does not offer WebSockets over HTTP/2.
var ErrNotOffered = errors.New("streams: the server does not offer WebSockets over HTTP/2 (RFC 8441 §3)")

const defaultTimeout = 5 * time.Second

// Run runs the cases, one after the other. An error says that there was no connection to the server, or wraps ErrNotOffered, or is the
// context's.
func Run(ctx context.Context, o Options) ([]Result, error) {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "wss" || u.Host == "" {
		return nil, fmt.Errorf("streams: URL %q: want wss://host:port/path", o.URL)
	}
	var results []Result
	for i, c := range cases {
		e, err := dial(ctx, u, o)
		if err != nil {
			return results, err
		}
		problem := e.run(c.run)
		_ = e.nc.Close()
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		results = append(results, Result{fmt.Sprintf("40.1.%d", i+1), c.description, c.expectation, problem, e.note})
	}
	return results, nil
}

// dial connects, and waits for the server's SETTINGS.
func dial(ctx context.Context, u *url.URL, o Options) (*end, error) {
	cfg := &tls.Config{}
	if o.TLS != nil {
		cfg = o.TLS.Clone()
	}
	cfg.NextProtos = []string{"h2"}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "443")
	}
	nc, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("streams: %w", err)
	}
	if nc.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
		_ = nc.Close()
		return nil, ErrNotOffered
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	e := newEnd(nc, u, o.Timeout)
	if err := e.begin(); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return e, nil
}
