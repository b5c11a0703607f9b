package suitecmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/seed-c4549abd/wss/autobahn/suite/streams"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
)

// maxHeaderBytes limits the head of a server's response.
const maxHeaderBytes = 64 << 10

// openStream returns what opens streams of HTTP/2 to a URL. Each request has the fields of header, too.
func openStream(pool *http2.Pool, rawURL string, config *tls.Config, header http.Header) (
	func(context.Context, http.Header) (net.Conn, *http.Response, error), error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	u.Scheme = "https"
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "443")
	}
	host := u.Host
	if values := header["Host"]; len(values) > 0 {
		host = values[0]
	}
	return func(ctx context.Context, fields http.Header) (net.Conn, *http.Response, error) {
		cfg := config.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName = u.Hostname()
		}
		fields.Del("Host")
		return pool.OpenStream(ctx, &conn.StreamRequest{
			URL: u, Host: host, Header: fields, TLS: cfg, MaxHeaderBytes: maxHeaderBytes,
			Dial: func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) },
		})
	}, nil
}

// streams runs the cases about the streams of HTTP/2, and prints what has become of them.
func (o *Options) streams(ctx context.Context, stdout io.Writer) error {
	config, err := trust(o.CA, o.Insecure)
	if err != nil {
		return err
	}
	results, err := streams.Run(ctx, streams.Options{URL: o.URL, TLS: config})
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		switch {
		case !r.Passed():
			failed++
			fmt.Fprintf(stdout, "%s: FAILED: %s\n      %s\n      %s\n", r.ID, r.Problem, r.Description, r.Expectation)
		case r.Note != "":
			fmt.Fprintf(stdout, "%s: passed, but: %s\n", r.ID, r.Note)
		}
	}
	if failed > 0 {
		fmt.Fprintf(stdout, "FAIL: %d problems in %d cases about HTTP/2\n", failed, len(results))
		return ErrFailed
	}
	fmt.Fprintf(stdout, "pass: all %d cases about HTTP/2\n", len(results))
	return nil
}
