package conn

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// rules are what a proxy does.
type rules struct {
	// secure has it speak TLS with its clients.
	secure bool
	// to is where connections go, whatever host they are for; empty: to that host.
	to string
	// user is "name:password" if it wants them.
	user string
	// behind is sent in one piece with the answer, as if the host had been quick, and later when the client has gone on.
	behind, later string
	// reply is the code of SOCKS5 that it refuses with; 0 accepts.
	reply byte
	// answer replaces all that; nothing is done then but to wait for the client's end.
	answer func(nc net.Conn)
}

// httpProxy is a proxy for CONNECT, in clear or over TLS.
type httpProxy struct {
	rules
	addr  string
	mu    sync.Mutex
	heads []*http.Request
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

func startProxy(t testing.TB, r rules) *httpProxy {
	t.Helper()
	p := &httpProxy{rules: r}
	sc, _ := testtls.Configs(tls.VersionTLS12) // not that of the host, so that Conn.TLS can tell
	p.listen(t, func(nc net.Conn) {
		if p.secure {
			nc = tls.Server(nc, sc)
		}
		p.serve(nc)
	})
	return p
}

// listen has connections served, until the test ends.
func (p *httpProxy) listen(t testing.TB, serve func(net.Conn)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr, p.conns = ln.Addr().String(), map[net.Conn]bool{}
	p.all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { serve(nc) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		p.mu.Lock()
		for nc := range p.conns {
			_ = nc.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
	})
}

// hold has a connection end with the test at the latest.
func (p *httpProxy) hold(nc net.Conn) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[nc] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, nc)
		_ = nc.Close()
	}
}

func (p *httpProxy) serve(nc net.Conn) {
	defer p.hold(nc)()
	br := bufio.NewReader(nc)
	r, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.heads = append(p.heads, r)
	p.mu.Unlock()
	if p.answer != nil {
		p.answer(nc)
		_, _ = io.Copy(io.Discard, br)
		return
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user))
	if p.user != "" && r.Header.Get("Proxy-Authorization") != want {
		_, _ = io.WriteString(nc, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"+
			"Content-Length: 9\r\n\r\nwho is it")
		return
	}
	addr := p.to
	if addr == "" {
		addr = r.Host
	}
	to, err := net.Dial("tcp", addr)
	if err != nil {
		_, _ = io.WriteString(nc, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	defer p.hold(to)()
	// A length in an answer that accepts means nothing (RFC 9110 §9.3.6).
	_, _ = io.WriteString(nc, "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n"+p.behind)
	if p.later != "" {
		_, _ = br.Peek(1) // when the client has read the answer
		_, _ = io.WriteString(nc, p.later)
	}
	join(nc, br, to)
}

// join copies in both directions until both are over.
func join(nc net.Conn, from io.Reader, to net.Conn) {
	var copies sync.WaitGroup
	copies.Go(func() { _, _ = io.Copy(to, from); closeWrite(to) })
	_, _ = io.Copy(nc, to)
	closeWrite(nc)
	copies.Wait()
}

// idle waits until no client is connected.
func (p *httpProxy) idle(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		n := len(p.conns)
		p.mu.Unlock()
		if n == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%d connections to the proxy were left open", n)
			return
		}
	}
}

// seen returns the heads of the requests so far.
func (p *httpProxy) seen() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*http.Request(nil), p.heads...)
}

func (p *httpProxy) url() *url.URL {
	u := &url.URL{Scheme: "http", Host: p.addr}
	if p.secure {
		u.Scheme = "https"
	}
	if name, password, ok := strings.Cut(p.user, ":"); ok {
		u.User = url.UserPassword(name, password)
	}
	return u
}

// through returns options that go through the proxy.
func (p *httpProxy) through(o *DialOptions) *DialOptions {
	through := *o
	through.Proxy = http.ProxyURL(p.url())
	if p.secure {
		_, through.ProxyTLS = testtls.Configs(tls.VersionTLS12)
		through.ProxyTLS.ServerName = "" // that of the proxy's URL, then
	}
	return &through
}

// socksProxy is a SOCKS5 proxy.
type socksProxy struct {
	httpProxy
	targets chan string
}

func startSOCKS(t testing.TB, r rules) *socksProxy {
	t.Helper()
	p := &socksProxy{httpProxy: httpProxy{rules: r}, targets: make(chan string, 100)}
	p.listen(t, func(nc net.Conn) {
		defer p.hold(nc)()
		if err := p.serveSOCKS(nc); err != nil {
			_, _ = io.Copy(io.Discard, nc)
		}
	})
	return p
}

func (p *socksProxy) url() *url.URL {
	u := p.httpProxy.url()
	u.Scheme = "socks5"
	return u
}

// readBytes returns n bytes, which are zero if they do not come.
func readBytes(nc net.Conn, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(nc, b); err != nil {
		return make([]byte, n)
	}
	return b
}

// serveSOCKS is the proxy's side of RFC 1928 and RFC 1929.
func (p *socksProxy) serveSOCKS(nc net.Conn) error {
	if p.answer != nil {
		p.answer(nc)
		return io.EOF
	}
	methods := string(readBytes(nc, int(readBytes(nc, 2)[1])))
	method := byte(0)
	if p.user != "" {
		method = 2
	}
	if !strings.Contains(methods, string(rune(method))) {
		method = 0xff
	}
	_, _ = nc.Write([]byte{5, method})
	switch method {
	case 0xff:
		return io.EOF
	case 2:
		user := string(readBytes(nc, int(readBytes(nc, 2)[1])))
		user += ":" + string(readBytes(nc, int(readBytes(nc, 1)[0])))
		if user != p.user {
			_, _ = nc.Write([]byte{1, 1})
			return io.EOF
		}
		_, _ = nc.Write([]byte{1, 0})
	}
	var host string
	switch head := readBytes(nc, 4); head[3] {
	case 1:
		host = net.IP(readBytes(nc, 4)).String()
	case 4:
		host = net.IP(readBytes(nc, 16)).String()
	default:
		host = string(readBytes(nc, int(readBytes(nc, 1)[0])))
	}
	port := readBytes(nc, 2)
	target := net.JoinHostPort(host, fmt.Sprint(int(port[0])<<8|int(port[1])))
	p.targets <- target
	if p.to != "" {
		target = p.to
	}
	to, err := net.Dial("tcp", target)
	if p.reply != 0 || err != nil {
		_, _ = nc.Write([]byte{5, max(p.reply, 1), 0, 1, 0, 0, 0, 0, 0, 0})
		return io.EOF
	}
	defer p.hold(to)()
	_, _ = nc.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 1})
	join(nc, nc, to)
	return nil
}
