package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// exchangeEcho dials, has a message echoed, and closes.
func exchangeEcho(t *testing.T, url string, o *DialOptions, look func(*Conn)) {
	t.Helper()
	patient := DialOptions{}
	if o != nil {
		patient = *o
	}
	patient.CloseTimeout = patience
	c, _, err := Dial(bg, url, &patient)
	if err != nil {
		t.Fatal(err)
	}
	if look != nil {
		look(c)
	}
	want := strings.Repeat("through ", 20_000)
	go func() { _ = c.Write(bg, Text, []byte(want)) }()
	if _, p, err := c.Read(bg); string(p) != want || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if err := c.Close(StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// proxyError checks what Dial says of a proxy that fails: the error's type, no response of the server, and no password.
func proxyError(t *testing.T, url string, o *DialOptions) *ProxyError {
	t.Helper()
	c, resp, err := Dial(bg, url, o)
	e, ok := errors.AsType[*ProxyError](err)
	if c != nil || resp != nil || !ok {
		t.Fatalf("%v, %v, %v", c, resp, err)
	}
	if !strings.HasPrefix(err.Error(), "websocket: proxy") || strings.Count(err.Error(), "websocket:") != 1 || strings.Contains(err.Error(), "secret") {
		t.Errorf("says %v", err)
	}
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		t.Errorf("%v is taken for the server's", err)
	}
	return e
}

// TestDialThroughProxies, of every kind and for both schemes, with and without credentials. With TLS to the host, the proxy sees
// records; the TLS that is reported is the host's.
func TestDialThroughProxies(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		url, o := serve(t, echoHandler(nil), secure, true)
		scheme, host, _ := strings.Cut(url, "://")
		for _, user := range []string{"", "user name:se:cret"} {
			look := func(c *Conn) {
				state, ok := c.TLS()
				if ok != secure || ok && state.Version != tls.VersionTLS13 {
					t.Errorf("%s: TLS reports %v, version %x", scheme, ok, state.Version)
				}
			}
			for _, overTLS := range []bool{false, true} {
				p := startProxy(t, rules{secure: overTLS, user: user})
				exchangeEcho(t, url, p.through(o), look)
				seen := p.seen()
				if len(seen) != 1 || seen[0].Method != http.MethodConnect || seen[0].RequestURI != host || seen[0].Host != host {
					t.Errorf("the proxy saw %+v", seen)
				}
				if user == "" && seen[0].Header["Proxy-Authorization"] != nil {
					t.Errorf("sent %v", seen[0].Header)
				}
			}
			p := startSOCKS(t, rules{user: user})
			for _, version := range []string{"socks5", "socks5h"} {
				u := p.url()
				u.Scheme = version
				through := *o
				through.Proxy = http.ProxyURL(u)
				exchangeEcho(t, url, &through, look)
				if target := <-p.targets; target != host {
					t.Errorf("%s was asked for %s", version, target)
				}
			}
		}
	}
}

// TestASocketToAProxyIsUsedAsOne: our transport takes its descriptor, over SOCKS5 too.
func TestASocketToAProxyIsUsedAsOne(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), true, true)
	socks := *o
	socks.Proxy = http.ProxyURL(startSOCKS(t, rules{}).url())
	for name, through := range map[string]*DialOptions{"http": startProxy(t, rules{}).through(o), "socks5": &socks} {
		exchangeEcho(t, url, through, func(c *Conn) {
			below := c.transport.NetConn().(*tls.Conn).NetConn().(*wire.Conn).NetConn()
			if _, ok := below.(*net.TCPConn); !ok {
				t.Errorf("%s: the wire is over a %T", name, below)
			}
		})
	}
}

// TestNamesAreForTheProxyToResolve: the host's name goes to the proxy as it is, in ASCII and without a zone.
func TestNamesAreForTheProxyToResolve(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), true, true)
	to := strings.TrimPrefix(url, "wss://")
	p, s := startProxy(t, rules{to: to}), startSOCKS(t, rules{to: to})
	socks := *o
	socks.Proxy = http.ProxyURL(s.url())
	for host, want := range map[string]string{
		"nowhere.invalid": "nowhere.invalid:443", "b\u00fccher.invalid:8443": "xn--bcher-kva.invalid:8443",
		"[fe80::1%25eth0]:444": "[fe80::1]:444",
	} {
		exchangeEcho(t, "wss://"+host+"/", p.through(o), nil)
		exchangeEcho(t, "wss://"+host+"/", &socks, nil)
		seen := p.seen()
		if got, socks := seen[len(seen)-1].Host, <-s.targets; got != want || socks != want {
			t.Errorf("%s: asked for %s and %s, want %s", host, got, socks, want)
		}
	}
}

// TestBytesBehindTheProxysAnswerAreKept: here the beginning of an interim response, whose end comes later.
func TestBytesBehindTheProxysAnswerAreKept(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), false, true)
	for _, secure := range []bool{false, true} {
		p := startProxy(t, rules{secure: secure, behind: "HTTP/1.1 103 Early Hi", later: "nts\r\nLink: x\r\n\r\n"})
		exchangeEcho(t, url, p.through(o), func(c *Conn) {
			if _, ok := c.transport.NetConn().(*wire.Conn).NetConn().(*tls.Conn); ok != secure {
				t.Errorf("the wire is not over the proxy's TLS, but a %T", c.transport.NetConn())
			}
		})
		if n := len(p.seen()); n != 1 {
			t.Errorf("%d requests", n)
		}
	}
}

func saying(text string) func(net.Conn) {
	return func(nc net.Conn) { _, _ = io.WriteString(nc, text); closeWrite(nc) }
}

// TestAProxyThatAnswersInPiecesIsWaitedFor, a byte at a time, and with an interim response.
func TestAProxyThatAnswersInPiecesIsWaitedFor(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), true, true)
	for _, secure := range []bool{false, true} {
		var p *httpProxy
		ready := make(chan bool)
		p = startProxy(t, rules{secure: secure, answer: func(nc net.Conn) {
			<-ready
			to, err := net.Dial("tcp", strings.TrimPrefix(url, "wss://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer p.hold(to)()
			for _, b := range []byte("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.0 204 Odd\r\nX: y\r\n\r\n") {
				_, _ = nc.Write([]byte{b})
			}
			join(nc, nc, to)
		}})
		close(ready)
		exchangeEcho(t, url, p.through(o), nil)
	}
}

// silent answers nothing.
func silent(net.Conn) {}

// TestTheProxysPartIsBoundedInTime, by HandshakeTimeout, by a deadline and by cancelling, at each of its steps.
func TestTheProxysPartIsBoundedInTime(t *testing.T) {
	t.Parallel()
	mute := listenMute(t)
	plain, secured := startProxy(t, rules{answer: silent}), startProxy(t, rules{secure: true, answer: silent})
	socks := startSOCKS(t, rules{answer: silent})
	endless := startProxy(t, rules{answer: func(nc net.Conn) { // a body that the answer waits for
		_, _ = io.WriteString(nc, "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nbegin")
	}})
	overSOCKS := &DialOptions{Proxy: http.ProxyURL(socks.url())}
	for _, tt := range []struct {
		name string
		o    *DialOptions
	}{
		{"CONNECT", plain.through(&DialOptions{})},
		{"CONNECT over TLS", secured.through(&DialOptions{})},
		{"TLS", (&httpProxy{rules: rules{secure: true}, addr: mute}).through(&DialOptions{})},
		{"SOCKS5", overSOCKS},
		{"no deadlines", &DialOptions{Proxy: plain.through(&DialOptions{}).Proxy, NetDial: withoutDeadlines}},
		{"SOCKS5 without deadlines", &DialOptions{Proxy: overSOCKS.Proxy, NetDial: withoutDeadlines}},
		{"dialing", &DialOptions{Proxy: plain.through(&DialOptions{}).Proxy, NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, errors.New("given up")
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bounded := *tt.o
			bounded.HandshakeTimeout = 30 * time.Millisecond
			if e := proxyError(t, "wss://host.invalid/", &bounded); e.Token != "proxy_timeout" || !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("HandshakeTimeout: %v", e)
			}
			ctx, cancel := context.WithCancel(bg)
			time.AfterFunc(30*time.Millisecond, cancel)
			if _, _, err := Dial(ctx, "wss://host.invalid/", tt.o); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
	t.Run("a body", func(t *testing.T) {
		t.Parallel()
		e := proxyError(t, "wss://host.invalid/", endless.through(&DialOptions{})) // after a second, as a server's
		if e.Token != "proxy_refused" || e.Response == nil {
			t.Fatal(e)
		}
		if body, _ := io.ReadAll(e.Response.Body); string(body) != "begin" {
			t.Errorf("body %q", body)
		}
	})
}

// listenMute returns the address of somebody who accepts and says nothing.
func listenMute(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String()
}

// undated is a connection without deadlines.
type undated struct{ net.Conn }

func (undated) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (undated) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (undated) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

func withoutDeadlines(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return undated{nc}, nil
}

// TestTheProxyIsAskedForByTheHTTPURL, without credentials in it, and NetDial dials it, by default at its scheme's port.
func TestTheProxyIsAskedForByTheHTTPURL(t *testing.T) {
	t.Parallel()
	dialed := errors.New("dialed")
	for _, tt := range []struct{ url, asked, proxy, addr string }{
		{"wss://u:secret@Host.invalid/a?b", "https://host.invalid/a?b", "http://proxy.invalid", "proxy.invalid:80"},
		{"ws://host.invalid:81", "http://host.invalid:81", "https://PROXY.invalid", "proxy.invalid:443"},
		{"https://host.invalid/", "https://host.invalid/", "SOCKS5://u:p@b\u00fccher.invalid", "xn--bcher-kva.invalid:1080"},
		{"wss://host.invalid/", "https://host.invalid/", "socks5h://[::1]:9", "[::1]:9"},
	} {
		var asked, addr string
		type key struct{}
		_, _, err := Dial(context.WithValue(bg, key{}, 1), tt.url, &DialOptions{
			Header: http.Header{"X-Route": {"a"}},
			Proxy: func(r *http.Request) (*url.URL, error) {
				asked = r.URL.String()
				if r.Method != http.MethodGet || r.Header.Get("X-Route") != "a" || r.Context().Value(key{}) != 1 {
					t.Errorf("%+v", r)
				}
				return url.Parse(tt.proxy)
			},
			NetDial: func(_ context.Context, network, a string) (net.Conn, error) {
				addr = network + " " + a
				return nil, dialed
			},
		})
		if !errors.Is(err, dialed) || asked != tt.asked || addr != "tcp "+tt.addr {
			t.Errorf("%s: asked for %s, dialed %s, %v", tt.url, asked, addr, err)
		}
	}
}

// TestTheProxysCertificateIsChecked: against ProxyTLS's roots, not TLS's, and its own host's name.
func TestTheProxysCertificateIsChecked(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), true, true)
	p := startProxy(t, rules{secure: true})
	untrusted, otherName := p.through(o), p.through(o)
	untrusted.ProxyTLS = nil
	otherName.ProxyTLS.ServerName = "other.invalid"
	plain := startProxy(t, rules{})
	noTLS := plain.through(o)
	noTLS.Proxy = http.ProxyURL(mustParse(t, "https://"+plain.addr))
	for name, o := range map[string]*DialOptions{"untrusted": untrusted, "another name": otherName, "none": noTLS} {
		if e := proxyError(t, url, o); e.Token != "proxy_tls" || e.Err == nil {
			t.Errorf("%s: %v", name, e)
		}
	}
	if seen := append(p.seen(), plain.seen()...); len(seen) != 0 {
		t.Errorf("the proxy was asked: %v", seen)
	}
}

func mustParse(t *testing.T, raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestNothingOfAProxyIsLeft: no goroutine, descriptor or buffer, whether it serves, refuses or stops.
func TestNothingOfAProxyIsLeft(t *testing.T) {
	if !apart(t) {
		return
	}
	accounted(t, "all", func(t *testing.T) {
		url, o := serve(t, echoHandler(nil), true, true)
		quick := *o
		quick.HandshakeTimeout = 30 * time.Millisecond
		for _, secure := range []bool{false, true} {
			exchangeEcho(t, url, startProxy(t, rules{secure: secure}).through(o), nil)
			for _, r := range []rules{{answer: silent}, {answer: saying("")}, {user: "u:p"}, {to: "127.0.0.1:1"}} {
				r.secure = secure
				p := startProxy(t, r)
				through := p.through(&quick)
				noUser := p.url()
				noUser.User = nil
				through.Proxy = http.ProxyURL(noUser)
				proxyError(t, url, through)
			}
		}
		for _, r := range []rules{{}, {reply: 1}, {answer: silent}} {
			through := quick
			through.Proxy = http.ProxyURL(startSOCKS(t, r).url())
			if c, _, err := Dial(bg, url, &through); err == nil {
				_ = c.Close(StatusNormalClosure, "")
			}
		}
	})
}
