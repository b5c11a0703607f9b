package websocket

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/internal/bare"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// Dialer connects to WebSocket servers. Its methods may be called by any number of goroutines. The zero value is usable.
type Dialer struct {
	// NetDial makes the TCP connection, if NetDialContext is nil. Nil: a net.Dialer does.
	NetDial func(network, addr string) (net.Conn, error)

	// NetDialContext makes the TCP connection. Nil: NetDial does.
	NetDialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// NetDialTLSContext makes the connection for a wss URL, with its TLS handshake done; TLSClientConfig is ignored. Nil:
	// NetDialContext and TLSClientConfig.
	NetDialTLSContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the URL of the proxy for a request: http, https or socks5. Its error is Dial's. Nil, and a nil URL: no
	// proxy.
	Proxy func(*http.Request) (*url.URL, error)

	// TLSClientConfig configures TLS for a wss URL, and with an https proxy. The protocol h2, which net/http adds to its own configuration, is not
	// offered. Nil: the defaults of crypto/tls.
	TLSClientConfig *tls.Config

	// HandshakeTimeout bounds connecting and all handshakes. Zero: no limit.
	HandshakeTimeout time.Duration

	// WriteBufferSize is the size in bytes from which NextWriter sends fragments. Zero or less: 4096; at most 1 MiB.
	// ReadBufferSize is ignored: a connection borrows a buffer for reading while there is something to read.
	ReadBufferSize, WriteBufferSize int

	// WriteBufferPool is where NextWriter takes its buffer from until the message is closed. Nil: a pool that all
	// connections share.
	WriteBufferPool BufferPool

	// Subprotocols are offered to the server, in the order of preference.
	Subprotocols []string

	// EnableCompression offers permessage-deflate, without context takeover.
	EnableCompression bool

	// Jar has the cookies to send, and gets those that the server sets. Nil: no cookies.
	Jar http.CookieJar
}

// DefaultDialer uses the proxy of the environment and allows 45 seconds.
var DefaultDialer = &Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 45 * time.Second}

// nilDialer is what a nil *Dialer is.
var nilDialer = *DefaultDialer

var errMalformedURL = errors.New("malformed ws or wss URL")

// Dial is DialContext with context.Background.
func (d *Dialer) Dial(urlStr string, requestHeader http.Header) (*Conn, *http.Response, error) {
	return d.DialContext(context.Background(), urlStr, requestHeader)
}

// DialContext connects to a ws or wss URL. requestHeader is sent with the request: Origin, Cookie, Authorization, or
// Sec-WebSocket-Protocol if Subprotocols is nil; Host replaces the URL's host in the request. ctx bounds connecting only. The
// hooks of a net/http/httptrace.ClientTrace in it are called.
//
// If the server does not accept, the error is ErrBadHandshake, and the response has up to 1024 bytes of its body, which need
// not be closed.
func (d *Dialer) DialContext(ctx context.Context, urlStr string, requestHeader http.Header) (*Conn, *http.Response, error) {
	if d == nil {
		d = &nilDialer
	}
	req, key, err := d.request(ctx, urlStr, requestHeader)
	if err != nil {
		return nil, nil, err
	}
	if d.HandshakeTimeout != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.HandshakeTimeout)
		defer cancel()
	}
	nc, err := d.connect(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	e, resp, err := d.exchange(nc, req, key)
	if !stop() && (err == nil || errors.Is(ctx.Err(), context.Canceled)) {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		return nil, resp, err
	}
	_ = nc.SetDeadline(time.Time{})
	return newConn(*e), resp, nil
}

// request makes the opening request, and returns its key too.
func (d *Dialer) request(ctx context.Context, urlStr string, header http.Header) (*http.Request, string, error) {
	u, err := url.Parse(urlStr)
	if err != nil {
		return nil, "", err
	}
	scheme, ok := map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	if !ok || u.User != nil {
		return nil, "", errMalformedURL
	}
	u.Scheme = scheme
	req := (&http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if d.Jar != nil {
		for _, cookie := range d.Jar.Cookies(u) {
			req.AddCookie(cookie)
		}
	}
	key := newKey()
	// The names as RFC 6455 writes them, for servers that compare case.
	req.Header["Upgrade"] = []string{"websocket"}
	req.Header["Connection"] = []string{"Upgrade"}
	req.Header["Sec-WebSocket-Key"] = []string{key}
	req.Header["Sec-WebSocket-Version"] = []string{"13"}
	if len(d.Subprotocols) > 0 {
		req.Header["Sec-WebSocket-Protocol"] = []string{strings.Join(d.Subprotocols, ", ")}
	}
	if d.EnableCompression {
		req.Header["Sec-WebSocket-Extensions"] = []string{offerDeflate}
	}
	return req, key, d.addHeader(req, header)
}

// addHeader adds the caller's fields to the request.
func (d *Dialer) addHeader(req *http.Request, header http.Header) error {
	for name, values := range header {
		switch name {
		case "Host":
			if len(values) > 0 {
				req.Host = values[0]
			}
		case "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions":
			return errors.New("websocket: duplicate header not allowed: " + name)
		case "Sec-Websocket-Protocol":
			if len(d.Subprotocols) > 0 {
				return errors.New("websocket: duplicate header not allowed: " + name)
			}
			req.Header["Sec-WebSocket-Protocol"] = values
		default:
			req.Header[name] = values
		}
	}
	return nil
}

// newKey returns a Sec-WebSocket-Key (RFC 6455 §4.1 item 7).
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// connect makes the connection to the request's host, with its TLS.
func (d *Dialer) connect(ctx context.Context, req *http.Request) (net.Conn, error) {
	addr := hostPort(req.URL)
	hooks := httptrace.ContextClientTrace(ctx)
	if hooks != nil && hooks.GetConn != nil {
		hooks.GetConn(addr)
	}
	nc, err := d.reach(ctx, req, addr)
	if err != nil {
		return nil, err
	}
	if hooks != nil && hooks.GotConn != nil {
		hooks.GotConn(httptrace.GotConnInfo{Conn: nc})
	}
	if req.URL.Scheme != "https" || d.NetDialTLSContext != nil {
		return nc, nil
	}
	tc := tls.Client(wire.TLS(nc), d.tlsConfig(req.URL.Hostname()))
	if hooks != nil && hooks.TLSHandshakeStart != nil {
		hooks.TLSHandshakeStart()
	}
	err = tc.HandshakeContext(ctx)
	if hooks != nil && hooks.TLSHandshakeDone != nil {
		hooks.TLSHandshakeDone(tc.ConnectionState(), err)
	}
	if err != nil {
		_ = tc.NetConn().Close()
		return nil, err
	}
	return tc, nil
}

// reach makes the connection without TLS, through the proxy if there is one. Until the handshakes are over it has the
// deadline of ctx.
func (d *Dialer) reach(ctx context.Context, req *http.Request, addr string) (net.Conn, error) {
	dial := d.dialFunc(req.URL.Scheme)
	within := func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if end, ok := ctx.Deadline(); ok {
			if err := nc.SetDeadline(end); err != nil {
				_ = nc.Close()
				return nil, err
			}
		}
		return nc, nil
	}
	if d.Proxy != nil {
		proxy, err := d.Proxy(req)
		if err != nil {
			return nil, err
		}
		if proxy != nil {
			return bare.Tunnel(ctx, proxy, addr, within, d.TLSClientConfig)
		}
	}
	return within(ctx, "tcp", addr)
}

// dialFunc chooses the function that makes the connection.
func (d *Dialer) dialFunc(scheme string) bare.DialFunc {
	switch {
	case scheme == "https" && d.NetDialTLSContext != nil:
		return d.NetDialTLSContext
	case d.NetDialContext != nil:
		return d.NetDialContext
	case d.NetDial != nil:
		return func(_ context.Context, network, addr string) (net.Conn, error) { return d.NetDial(network, addr) }
	}
	return new(net.Dialer).DialContext
}

// tlsConfig returns the configuration of TLS with host.
func (d *Dialer) tlsConfig(host string) *tls.Config {
	cfg := &tls.Config{}
	if d.TLSClientConfig != nil {
		cfg = d.TLSClientConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	if slices.Contains(cfg.NextProtos, "h2") {
		cfg.NextProtos = []string{"http/1.1"}
	}
	return cfg
}

// hostPort returns the address of a URL's host.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := "80"
	if u.Scheme == "https" || u.Scheme == "wss" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// NewClient performs the client's opening handshake on nc. For a wss URL it performs the TLS handshake before.
//
// Deprecated: use Dialer.
func NewClient(netConn net.Conn, u *url.URL, requestHeader http.Header, readBufSize, writeBufSize int) (c *Conn, response *http.Response, err error) {
	d := Dialer{
		ReadBufferSize: readBufSize, WriteBufferSize: writeBufSize,
		NetDial: func(string, string) (net.Conn, error) { return netConn, nil },
	}
	return d.Dial(u.String(), requestHeader)
}
