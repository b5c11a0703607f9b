package conn

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/proxy"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/hostname"
)

// proxyDialer is a proxy that a connection goes through.
type proxyDialer struct {
	o      *DialOptions
	scheme string // http, https, socks5 or socks5h
	host   string // without port
	addr   string
	user   *url.Userinfo
	shown  string // its URL without user and password
}

// The ports of proxies whose URL has none.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// chooseProxy returns the proxy that the connection is to go through, or nil.
func (a *attempt) chooseProxy(ctx context.Context) (*proxyDialer, error) {
	choose := a.o.Proxy
	if choose == nil {
		if a.o.NetDial != nil || a.o.NetDialTLS != nil {
			return nil, nil // they reach the host by themselves
		}
		choose = ProxyFromEnvironment
	}
	r := &http.Request{
		Method: http.MethodGet, URL: httpURL(a.u), Host: a.u.Host, Header: a.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	u, err := choose(r.WithContext(ctx))
	if err != nil {
		return nil, &ProxyError{Token: tokenProxyConfig, Reason: "choosing a proxy for " + a.u.Host, Err: err}
	}
	if u == nil {
		return nil, nil
	}
	return newProxyDialer(a.o, u)
}

func newProxyDialer(o *DialOptions, u *url.URL) (*proxyDialer, error) {
	scheme := strings.ToLower(u.Scheme)
	// url.Parse leaves no "@" and no control character, but a URL may be made by hand.
	shown := strconv.QuoteToASCII(scheme + "://" + u.Host[strings.LastIndexByte(u.Host, '@')+1:])
	p := &proxyDialer{o: o, scheme: scheme, user: u.User, shown: strings.Trim(shown, `"`)}
	port, known := proxyPorts[scheme]
	if !known {
		return nil, p.fail(tokenProxyConfig, "the scheme is none of http, https, socks5 and socks5h", nil)
	}
	host, err := hostname.ToASCII(u.Host)
	if err != nil || u.Hostname() == "" || strings.ContainsAny(u.Host, "@/?# \\") || strings.ContainsFunc(u.Host, unicode.IsControl) {
		return nil, p.fail(tokenProxyConfig, "the URL has no valid host", err)
	}
	ascii := url.URL{Host: host}
	if ascii.Port() != "" {
		port = ascii.Port()
	}
	p.host, p.addr = ascii.Hostname(), net.JoinHostPort(ascii.Hostname(), port)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, p.fail(tokenProxyConfig, "the URL's port is not one of 1 to 65535", nil)
	}
	if password, _ := p.user.Password(); p.user != nil && strings.HasPrefix(scheme, "socks5") &&
		(p.user.Username() == "" || len(p.user.Username()) > maxSOCKS || len(password) > maxSOCKS) {
		return nil, p.fail(tokenProxyConfig, "SOCKS5 takes a user of 1 to 255 bytes and a password of 255 at most (RFC 1929 §2)", nil)
	}
	return p, nil
}

// maxSOCKS is the most bytes of a user, of a password and of a host in SOCKS5 (RFC 1928 §5, RFC 1929 §2).
const maxSOCKS = 255

func (p *proxyDialer) fail(token, reason string, err error) *ProxyError {
	return &ProxyError{Proxy: p.shown, Token: token, Reason: reason, Err: err}
}

// failed is fail for something that the end of ctx may have caused.
func (p *proxyDialer) failed(ctx context.Context, token, reason string, err error) *ProxyError {
	if end, ok := ctx.Deadline(); ok && isTimeout(err) && !time.Now().Before(end) {
		<-ctx.Done() // x/net/proxy gives the socket the same deadline, which may be noticed first
	}
	if ctx.Err() != nil {
		token, err = tokenProxyTimeout, ctx.Err()
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return p.fail(token, reason, err)
}

// dial returns a connection to target through the proxy.
func (p *proxyDialer) dial(ctx context.Context, target string) (net.Conn, error) {
	target = withoutZone(target)
	if strings.HasPrefix(p.scheme, "socks5") {
		return p.dialSOCKS(ctx, target)
	}
	socket, err := p.o.dialNet(ctx, p.addr)
	if err != nil {
		return nil, p.failed(ctx, tokenProxyUnreachable, "connecting to it", err)
	}
	if err := ctx.Err(); err != nil { // whoever dialed has not looked: no credentials are sent any more
		_ = socket.Close()
		return nil, p.failed(ctx, tokenProxyTimeout, "connecting to it", err)
	}
	nc, hooks := socket, httptrace.ContextClientTrace(ctx)
	if p.scheme == "https" {
		cfg, err := clientTLS(p.o.ProxyTLS)
		if err != nil {
			_ = socket.Close()
			return nil, p.fail(tokenProxyTLS, "", err)
		}
		if cfg.ServerName == "" {
			cfg.ServerName = p.host
		}
		tc := tls.Client(socket, cfg)
		if err := shakeHands(ctx, tc, hooks); err != nil {
			_ = socket.Close()
			return nil, p.failed(ctx, tokenProxyTLS, "TLS handshake", err)
		}
		nc = tc
	}
	stop := interruptBy(ctx, nc)
	nc, err = p.connectTunnel(ctx, nc, target)
	stop()
	if err != nil {
		_ = socket.Close() // not the TLS, which would wait for the proxy to take its end
		return nil, err
	}
	return nc, nil
}

// withoutZone removes the zone of an IPv6 address, which means something to this host only.
func withoutZone(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	host, _, _ = strings.Cut(host, "%")
	return net.JoinHostPort(host, port)
}

// connectTunnel asks an HTTP proxy for a connection to target (RFC 9110 §9.3.6).
func (p *proxyDialer) connectTunnel(ctx context.Context, nc net.Conn, target string) (net.Conn, error) {
	head := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if p.user != nil {
		head += "Proxy-Authorization: Basic " + p.basic() + "\r\n"
	}
	if _, err := io.WriteString(nc, head+"\r\n"); err != nil {
		return nil, p.failed(ctx, tokenProxyBroken, "sending CONNECT", err)
	}
	from := nc
	if _, isTLS := nc.(*tls.Conn); isTLS {
		from = byteByByte{nc}
	}
	answer := handshake.NewResponseReader(headLimits(p.o.MaxHeaderBytes, true))
	first := true
	rest, err := feed(from, func(b []byte) (int, bool, error) {
		if first && len(b) > 0 {
			first = false
			switch {
			case p.scheme == "http" && isTLSRecord(b[0]):
				return 0, false, errors.New("the proxy speaks TLS: use an https URL for it")
			case b[0] != 'H' && b[0] != '\r' && b[0] != '\n': // it may wait for more of us before it says anything else
				return 0, false, errors.New("the answer is not HTTP/1.1")
			}
		}
		return answer.Feed(b)
	})
	if e, ok := errors.AsType[*HandshakeError](err); ok { // which is what a server's refusal is for callers
		err = errors.New(p.masked(e.Reason))
		if e.Token == "bad_status_line" {
			err = errors.New("the answer is not HTTP/1.1")
		}
	}
	if err != nil {
		return nil, p.failed(ctx, tokenProxyBroken, "reading its answer to CONNECT", err)
	}
	resp := answer.Response()
	if resp.StatusCode/100 == 2 { // any length that it gives is ignored
		if len(rest) > 0 {
			return &behindAnswer{Conn: nc, rest: rest}, nil
		}
		return nc, nil
	}
	readBody(ctx, nc, resp, rest)
	e := p.fail(tokenProxyRefused, "CONNECT "+target+" was answered with "+quoted(p.masked(resp.Status)), nil)
	// 401 is for the host to say, but tinyproxy says it of wrong credentials.
	if resp.StatusCode == http.StatusProxyAuthRequired || resp.StatusCode == http.StatusUnauthorized {
		e.Token = tokenProxyAuth
		e.Reason += "; put a user and password in the proxy's URL (only Basic authentication is supported)"
		if p.user != nil {
			e.Reason = "the proxy rejected the user and password of its URL: " + quoted(p.masked(resp.Status))
		}
	}
	e.Response = resp
	return nil, e
}

// basic is the user and password as Basic authentication sends them (RFC 7617 §2).
func (p *proxyDialer) basic() string {
	password, _ := p.user.Password()
	return base64.StdEncoding.EncodeToString([]byte(p.user.Username() + ":" + password))
}

// masked is text of the proxy's without our credentials, which it may repeat.
func (p *proxyDialer) masked(text string) string {
	if p.user == nil {
		return text
	}
	return strings.ReplaceAll(text, p.basic(), "***")
}

// quoted shows what a proxy said, escaped and not more than 64 bytes.
func quoted(s string) string { return strconv.QuoteToASCII(s[:min(len(s), 64)]) }

// byteByByte takes nothing from a tls.Conn that is behind the proxy's answer. The wire must see the tls.Conn itself.
type byteByByte struct{ net.Conn }

func (c byteByByte) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), 1)]) }

// behindAnswer is a connection of which a part was read together with the proxy's answer.
type behindAnswer struct {
	net.Conn
	rest []byte
}

// Read returns what is behind the answer first.
func (c *behindAnswer) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// CloseWrite ends our stream, if what is below can.
func (c *behindAnswer) CloseWrite() error {
	if hc, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return hc.CloseWrite()
	}
	return errors.ErrUnsupported
}

// dialSOCKS asks a SOCKS5 proxy, which also resolves the host's name, for a connection (RFC 1928, RFC 1929).
func (p *proxyDialer) dialSOCKS(ctx context.Context, target string) (net.Conn, error) {
	var auth *proxy.Auth
	if p.user != nil {
		password, _ := p.user.Password()
		auth = &proxy.Auth{User: p.user.Username(), Password: password}
	}
	if host, _, _ := net.SplitHostPort(target); len(host) > maxSOCKS {
		return nil, p.fail(tokenProxyConfig, "SOCKS5 takes a host of 255 bytes at most", nil)
	}
	way := &socksForward{p: p}
	d, err := proxy.SOCKS5("tcp", p.addr, auth, way)
	if err != nil {
		return nil, p.fail(tokenProxyConfig, "", err)
	}
	_, err = d.(proxy.ContextDialer).DialContext(ctx, "tcp", target)
	if way.stop != nil {
		way.stop()
	}
	if err == nil {
		return way.nc, nil // what d returns wraps it, so that the wire would not take it for a socket
	}
	if way.err != nil {
		return nil, p.failed(ctx, tokenProxyUnreachable, "connecting to it", way.err)
	}
	if way.nc != nil {
		_ = way.nc.Close()
	}
	return nil, p.failed(ctx, socksToken(err), "connecting to "+target, err)
}

// socksToken classifies an error of x/net/proxy, which has no types for them.
func socksToken(err error) string {
	text := err.Error()
	for _, known := range []struct{ text, token string }{
		{"no acceptable authentication methods", tokenProxyAuth},
		{"invalid username/password version", tokenProxyBroken},
		{"username/password authentication failed", tokenProxyAuth},
		{"unknown error", tokenProxyRefused}, // and what the reply's code means
	} {
		if strings.Contains(text, known.text) {
			return known.token
		}
	}
	return tokenProxyBroken
}

// socksForward dials the proxy, and keeps the connection.
type socksForward struct {
	p    *proxyDialer
	nc   net.Conn
	err  error
	stop func()
}

func (w *socksForward) Dial(network, addr string) (net.Conn, error) {
	return w.DialContext(context.Background(), network, addr)
}

func (w *socksForward) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	if w.nc, w.err = w.p.o.dialNet(ctx, addr); w.err != nil {
		return nil, w.err
	}
	w.stop = interruptBy(ctx, w.nc) // also where there are no deadlines
	return w.nc, nil
}
