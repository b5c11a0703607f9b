package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Dial connects to a ws or wss URL (RFC 6455 §3, §4.1); http and https mean the same. Path
// and query must be escaped; a host in another script is converted as browsers do. ctx bounds
// connecting only. With wss, nothing is sent to the host before the TLS handshake with it
// (RFC 6455 §4.1 item 5), and Conn.TLS reports that TLS. With ws, bytes go unchanged through
// what NetDial returns; if that is a *tls.Conn, Conn.TLS reports it.
//
// The connection goes through the proxy that Proxy names, by default that of the environment;
// a proxy's failure is a *ProxyError. Redirects are followed only if MaxRedirects says so.
//
// If the server does not accept, the error is a *HandshakeError and the response is returned
// too; its Body holds at most 4 KiB, received within one second, chunks decoded, and need not
// be closed. The token "plain_to_tls" means that a ws URL names a port of TLS. On success the
// response is the 101.
//
// The hooks of a net/http/httptrace.ClientTrace in ctx are called for every connection as
// net/http does, but for Got100Continue, Got1xxResponse, PutIdleConn and Wait100Continue.
//
// In a program for GOOS=js Dial uses the WebSocket of the browser: see docs/how-to/browser.md for what that leaves out.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (*Conn, *http.Response, error) {
	if inBrowser {
		if o == nil {
			o = &DialOptions{}
		}
		return o.dialInBrowser(ctx, rawURL)
	}
	a, err := o.attempt(rawURL)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, positiveOr(a.o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	for {
		c, resp, err := a.dial(ctx)
		if a.next == nil {
			return c, resp, err
		}
		a = a.next
	}
}

// Client performs the client's opening handshake on a connection that exists. For a
// wss URL it performs the TLS handshake first, unless nc is a *tls.Conn: then the
// caller has configured the TLS with the URL's host, and Client only completes its
// handshake. So do not give it a *tls.Conn to a proxy; return that from NetDial. No proxy is
// used and no redirect followed. After an error nc is closed. ctx, and HandshakeTimeout,
// bound the handshake only.
func Client(ctx context.Context, nc net.Conn, rawURL string, o *DialOptions) (*Conn, *http.Response, error) {
	a, err := o.attempt(rawURL)
	if err != nil {
		_ = nc.Close()
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, positiveOr(a.o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	a.existing = true
	below := belowTLS
	if _, done := nc.(*tls.Conn); done || !secureScheme(a.u) {
		below = asItIs
	}
	return a.connect(ctx, nc, below)
}

// attempt is one opening handshake of Dial or Client. Dial makes another for each redirect that it follows.
type attempt struct {
	o       *DialOptions
	u       *url.URL
	header  http.Header // to send
	policy  handshake.DeflatePolicy
	request *handshake.ClientRequest

	redirects   int      // followed so far
	crossOrigin bool     // u, or one before it, is of another origin than the first: credentials stay behind
	existing    bool     // Client was given its connection: redirects are not followed
	next        *attempt // what a redirect leads to, if it is to be followed
}

// attempt makes the first attempt. It checks everything that can be checked before a byte is sent.
func (o *DialOptions) attempt(rawURL string) (*attempt, error) {
	if o == nil {
		o = &DialOptions{}
	}
	u, err := handshake.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if o.Multiplexer != nil && isNil(o.Multiplexer) {
		return nil, &HandshakeError{Token: "bad_options", Reason: fmt.Sprintf("Multiplexer is a nil %T: make one, or set no Multiplexer", o.Multiplexer)}
	}
	if o.Multiplexer != nil && o.NetDialTLS != nil {
		return nil, &HandshakeError{Token: "bad_options", Reason: "Multiplexer does TLS itself and cannot be combined with NetDialTLS: use NetDial"}
	}
	a := &attempt{o: o, u: u, header: o.Header}
	return a, a.prepare()
}

// prepare makes the request.
func (a *attempt) prepare() (err error) {
	if a.policy, err = a.o.Compression.policy(frame.Client); err != nil {
		return err
	}
	ho := &handshake.ClientOptions{Subprotocols: a.o.Subprotocols, Header: withCookies(a.header, a.o.Jar, a.u), Host: a.o.Host}
	if a.crossOrigin {
		ho.Host = ""
	}
	if a.o.Compression.Mode != CompressionOff {
		ho.Extensions = a.policy.Offer()
	}
	a.request, err = handshake.NewRequest(a.u, ho)
	return err
}

func secureScheme(u *url.URL) bool { return u.Scheme == "wss" || u.Scheme == "https" }

// httpURL returns the http or https URL that cookies and proxies of a WebSocket URL go by, without user and password.
func httpURL(u *url.URL) *url.URL {
	h := *u
	h.User, h.Scheme = nil, "http"
	if secureScheme(u) {
		h.Scheme = "https"
	}
	return &h
}

func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if secureScheme(u) {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// closeAbruptly closes a socket whose handshake has failed. Nobody reads any more, so what has come of a record is given back.
func closeAbruptly(nc net.Conn) {
	_ = nc.Close()
	if tc, ok := nc.(*tls.Conn); ok {
		nc = tc.NetConn()
	}
	if w, ok := nc.(*wire.Conn); ok {
		w.Drop()
	}
}

// below says what a connection is to the URL's host.
type below int

const (
	belowTLS     below = iota // TLS with the host is still to be put over it, whatever it is
	asItIs                    // it leads to the host; a *tls.Conn is the TLS with it
	throughProxy              // it leads to the host; a *tls.Conn is the TLS with a proxy, which says nothing of the host
)

// connect performs the handshakes, TLS's and WebSocket's.
func (a *attempt) connect(ctx context.Context, nc net.Conn, kind below) (*Conn, *http.Response, error) {
	hooks := httptrace.ContextClientTrace(ctx)
	nc, err := a.secure(ctx, nc, kind, hooks)
	if err != nil {
		return nil, nil, err
	}
	if hooks != nil && hooks.GotConn != nil && !a.existing {
		hooks.GotConn(httptrace.GotConnInfo{Conn: nc})
	}
	stop := interruptBy(ctx, nc)
	resp, agreed, rest, err := a.exchange(ctx, nc, hooks)
	stop()
	var params handshake.DeflateParams
	if err == nil {
		params, _, err = a.policy.Check(agreed.Extensions)
	}
	if err != nil {
		closeAbruptly(nc)
		if _, ok := errors.AsType[*HandshakeError](err); !ok {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			// In TLS 1.3 a refused client certificate shows only here.
			err = fmt.Errorf("websocket: opening handshake with %s: %w", a.u.Host, tlsconf.Explain(err))
		}
		return nil, resp, err
	}
	t := transport.New(nc)
	_ = nc.SetDeadline(time.Time{})
	_ = t.SetWriteDeadline(time.Time{})
	c, err := a.open(t, agreed, params, rest)
	return c, resp, err
}

// open makes the connection when the handshake has succeeded.
func (a *attempt) open(t transport.Conn, agreed *handshake.Agreement, params handshake.DeflateParams, received []byte) (*Conn, error) {
	z := newCompression(frame.Client, &a.o.Compression, params, a.o.settings().messageLimit)
	return a.o.open(opened{transport: t, subprotocol: agreed.Subprotocol, compression: z, received: received})
}

// secure puts TLS with the host over a connection, if that is wanted, and returns what the opening handshake is performed on.
func (a *attempt) secure(ctx context.Context, nc net.Conn, kind below, hooks *httptrace.ClientTrace) (net.Conn, error) {
	tc, isTLS := nc.(*tls.Conn)
	switch {
	case kind == belowTLS:
		cfg, err := a.tlsConfig()
		if err != nil {
			_ = nc.Close()
			return nil, err
		}
		tc = tls.Client(wire.TLS(nc), cfg)
		nc = tc
	case kind == throughProxy:
		return wire.Tunnel(nc), nil
	case !isTLS:
		return wire.Plain(nc), nil
	}
	if err := shakeHands(ctx, tc, hooks); err != nil {
		closeAbruptly(nc)
		if v, ok := errors.AsType[*tlsconf.VerifyError](err); ok && v.Reason == tlsconf.NotTLS && kind == belowTLS && isTLS {
			err = fmt.Errorf("%w (NetDial returned a *tls.Conn, over which Dial does TLS again, with the URL's host; "+
				"if it is that TLS already, use NetDialTLS or Client)", err)
		}
		return nil, fmt.Errorf("websocket: TLS handshake with %s: %w", a.u.Host, err)
	}
	if tc.ConnectionState().NegotiatedProtocol == "h2" { // by who made the tls.Conn: we never offer it
		closeAbruptly(nc)
		return nil, errHTTP2()
	}
	return nc, nil
}

// open makes the connection of a client whose opening handshake has succeeded.
func (o *DialOptions) open(r opened) (*Conn, error) {
	r.role, r.settings, r.observer = frame.Client, o.settings(), o.Observer
	if inBrowser {
		r.settings.pingInterval = 0 // a page cannot send pings
	}
	c := r.start()
	if err := c.life.err(); err != nil {
		return nil, err // the observer has closed it
	}
	return c, nil
}

// shakeHands performs the TLS handshake, and explains its error.
func shakeHands(ctx context.Context, tc *tls.Conn, hooks *httptrace.ClientTrace) error {
	if hooks != nil && hooks.TLSHandshakeStart != nil {
		hooks.TLSHandshakeStart()
	}
	err := tc.HandshakeContext(ctx)
	if hooks != nil && hooks.TLSHandshakeDone != nil {
		hooks.TLSHandshakeDone(tc.ConnectionState(), err)
	}
	return tlsconf.Explain(err)
}

// tlsConfig returns the configuration of the TLS with the URL's host. To another origin than the first, neither client
// certificates nor the first one's name and keys are sent.
func (a *attempt) tlsConfig() (*tls.Config, error) {
	cfg, err := clientTLS(a.o.TLS)
	if err != nil {
		return nil, err
	}
	if a.crossOrigin {
		cfg.ServerName, cfg.Certificates, cfg.GetClientCertificate, cfg.EncryptedClientHelloConfigList = "", nil, nil, nil
	}
	if cfg.ServerName == "" {
		cfg.ServerName = a.u.Hostname()
	}
	return cfg, nil
}

// clientTLS returns a copy of cfg, or the default if it is nil.
func clientTLS(cfg *tls.Config) (*tls.Config, error) {
	if cfg == nil {
		var err error
		if cfg, err = tlsconf.Client(tlsconf.ClientOptions{Profile: tlsconf.Intermediate}); err != nil {
			return nil, fmt.Errorf("websocket: %w", err)
		}
	}
	return tlsconf.ForWebSocket(cfg), nil
}
