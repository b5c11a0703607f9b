package conn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRefusalsOfHTTPProxiesAreTyped: each has its token, and the answer where there is one.
func TestRefusalsOfHTTPProxiesAreTyped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, token string
		rules       rules
		user        *url.Userinfo
		status      int
		says        string
	}{
		{"no credentials", "proxy_auth", rules{user: "u:secret"}, nil, 407, "put a user and password"},
		{"wrong credentials", "proxy_auth", rules{user: "u:secret"}, url.UserPassword("u", "secret2"), 407, "rejected the user and password"},
		{"wrong credentials, as tinyproxy says it", "proxy_auth", rules{answer: saying("HTTP/1.0 401 Unauthorized\r\n\r\n")},
			url.UserPassword("u", "secret2"), 401, "rejected the user and password"},
		{"an unreachable host", "proxy_refused", rules{to: "127.0.0.1:1"}, nil, 502, "502 Bad Gateway"},
		{"a forbidden host", "proxy_refused", rules{answer: saying("HTTP/1.0 403 Forbidden\r\n\r\nfiltered")}, nil, 403, "403 Forbidden"},
		{"a redirect", "proxy_refused", rules{answer: saying("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")}, nil, 302, "302"},
		{"101", "proxy_refused", rules{answer: saying("HTTP/1.1 101 Switching Protocols\r\n\r\n")}, nil, 101, "101"},
		{"escapes", "proxy_refused", rules{answer: saying("HTTP/1.1 500 \u009b31m\r\n\r\n")}, nil, 500, `\u009b31m`},
		{"nothing", "proxy_broken", rules{answer: saying("")}, nil, 0, "unexpected EOF"},
		{"half an answer", "proxy_broken", rules{answer: saying("HTTP/1.1 200 OK\r\n")}, nil, 0, "unexpected EOF"},
		{"not HTTP", "proxy_broken", rules{answer: saying("SSH-2.0-x\r\n\r\n")}, nil, 0, "not HTTP"},
		{"SOCKS, which waits", "proxy_broken", rules{answer: func(nc net.Conn) {
			_, _ = nc.Write([]byte{5, 0xff})
			_, _ = io.Copy(io.Discard, nc)
		}}, nil, 0, "not HTTP"},
		{"our own credentials", "proxy_refused", rules{answer: saying("HTTP/1.1 403 " + secretBasic + "\r\n\r\nfiltered")},
			url.UserPassword("u", "secret"), 403, "403 ***"},
		{"TLS", "proxy_broken", rules{answer: saying("\x15\x03\x01\x00\x02\x02\x0a")}, nil, 0, "use an https URL"},
		{"a long head", "proxy_broken", rules{answer: saying("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 70_000) + "\r\n\r\n")}, nil, 0, "longer than 65536"},
		{"many fields", "proxy_broken", rules{answer: saying("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 10_000) + "\r\n")}, nil, 0, "header fields"},
		{"a head without end", "proxy_broken", rules{answer: func(nc net.Conn) {
			_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = nc.Write(bytes.Repeat([]byte("A: b\r\n"), 100))
			}
		}}, nil, 0, "header fields"},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				if tt.name == "TLS" && secure {
					return // inside TLS it is not HTTP
				}
				r := tt.rules
				r.secure = secure
				p := startProxy(t, r)
				o := p.through(&DialOptions{})
				u := p.url()
				u.User = tt.user
				o.Proxy = http.ProxyURL(u)
				e := proxyError(t, "wss://host.invalid/", o)
				p.idle(t)
				if e.Token != tt.token || !strings.Contains(e.Error(), tt.says) || e.Proxy != u.Scheme+"://"+p.addr {
					t.Errorf("%+v: %v", e, e)
				}
				if (tt.status == 0) != (e.Response == nil) || e.Response != nil && e.Response.StatusCode != tt.status {
					t.Fatalf("the answer is %+v", e.Response)
				}
				if body := ""; e.Response != nil {
					b, _ := io.ReadAll(e.Response.Body)
					body = string(b)
					if tt.status == 407 && body != "who is it" || tt.status == 403 && body != "filtered" {
						t.Errorf("body %q", body)
					}
				}
			})
		}
	}
}

// TestRefusalsOfSOCKSProxiesAreTyped: each has its token.
func TestRefusalsOfSOCKSProxiesAreTyped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, token, says string
		rules             rules
		user              *url.Userinfo
	}{
		{"no credentials", "proxy_auth", "no acceptable authentication", rules{user: "u:secret"}, nil},
		{"wrong credentials", "proxy_auth", "authentication failed", rules{user: "u:secret"}, url.UserPassword("u", "secret2")},
		{"not allowed", "proxy_refused", "not allowed", rules{reply: 2}, nil},
		{"refused", "proxy_refused", "connection refused", rules{reply: 5}, nil},
		{"not SOCKS5", "proxy_broken", "version", rules{answer: saying("HTTP/1.1 400 Bad Request\r\n\r\n")}, nil},
		{"nothing", "proxy_broken", "", rules{answer: saying("")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startSOCKS(t, tt.rules)
			u := p.url()
			u.User = tt.user
			e := proxyError(t, "wss://host.invalid/", &DialOptions{Proxy: http.ProxyURL(u)})
			p.idle(t)
			if e.Token != tt.token || !strings.Contains(e.Error(), tt.says) || e.Response != nil || e.Proxy != "socks5://"+p.addr {
				t.Errorf("%+v: %v", e, e)
			}
		})
	}
}

// TestProxiesThatCannotBeUsed: nothing is sent to anybody.
func TestProxiesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	never := func(_ context.Context, _, addr string) (net.Conn, error) {
		t.Error("dialed", addr)
		return nil, errors.New("dialed")
	}
	failure := errors.New("no configuration")
	for name, choose := range map[string]func(*http.Request) (*url.URL, error){
		"an error":           func(*http.Request) (*url.URL, error) { return nil, failure },
		"an unknown scheme":  http.ProxyURL(&url.URL{Scheme: "socks4", Host: "proxy", User: url.UserPassword("u", "secret")}),
		"no scheme":          http.ProxyURL(&url.URL{Host: "proxy"}),
		"no host":            http.ProxyURL(&url.URL{Scheme: "http", Host: ":80"}),
		"a user in the host": http.ProxyURL(&url.URL{Scheme: "http", Host: "u:secret@proxy"}),
		"an invalid host":    http.ProxyURL(&url.URL{Scheme: "http", Host: "a\uff0fb"}),
		"a line break":       http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1\r\nX"}),
		"a large port":       http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:99999"}),
		"no port":            http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:0"}),
		"no user for SOCKS":  http.ProxyURL(&url.URL{Scheme: "socks5", Host: "proxy", User: url.UserPassword("", "secret")}),
		"a long user":        http.ProxyURL(&url.URL{Scheme: "socks5", Host: "proxy", User: url.User(strings.Repeat("u", 256))}),
		"a long password":    http.ProxyURL(&url.URL{Scheme: "socks5", Host: "proxy", User: url.UserPassword("u", "secret"+strings.Repeat("x", 250))}),
	} {
		e := proxyError(t, "wss://host.invalid/", &DialOptions{Proxy: choose, NetDial: never})
		if e.Token != "proxy_config" || name == "an error" && !errors.Is(e, failure) || strings.ContainsAny(e.Error(), "\r\n") {
			t.Errorf("%s: %v", name, e)
		}
	}
	unreachable := errors.New("unreachable")
	for _, scheme := range []string{"http", "https", "socks5"} {
		e := proxyError(t, "wss://host.invalid/", &DialOptions{
			Proxy:   http.ProxyURL(&url.URL{Scheme: scheme, Host: "Pr\u00f6xy.invalid", User: url.UserPassword("u", "secret")}),
			NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, unreachable },
		})
		if e.Token != "proxy_unreachable" || !errors.Is(e, unreachable) {
			t.Errorf("%s: %v", scheme, e)
		}
	}
}

// TestAProxysErrorShowsNoCredentials, although that of the Proxy function may.
func TestAProxysErrorShowsNoCredentials(t *testing.T) {
	for _, text := range []string{
		`invalid proxy address "http://user:secret@proxy.example:port"`, `parse "http://user:sl/secret@[::1": missing ']'`, "user:secret@proxy",
	} {
		o := &DialOptions{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New(text) }}
		_, _, err := Dial(bg, "wss://host.invalid/", o)
		if e, ok := errors.AsType[*ProxyError](err); !ok || e.Token != "proxy_config" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

// secretBasic is what Basic authentication makes of user u and password secret.
const secretBasic = "dTpzZWNyZXQ="

// TestNothingIsSentAfterTheContextsEnd: a function that dials may not look at its context.
func TestNothingIsSentAfterTheContextsEnd(t *testing.T) {
	t.Parallel()
	proxied := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy", User: url.UserPassword("u", "secret")})
	for name, o := range map[string]*DialOptions{
		"the host, ws": {}, "the host, wss": {}, "a proxy": {Proxy: proxied}, "the host, with TLS of its own": {},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(bg)
			defer cancel()
			near, far := net.Pipe()
			late := func(context.Context, string, string) (net.Conn, error) {
				cancel()
				return near, nil
			}
			scheme := "ws"
			switch name {
			case "the host, wss":
				scheme, o.NetDial = "wss", late
			case "the host, with TLS of its own":
				scheme, o.NetDialTLS = "wss", late
			default:
				o.NetDial = late
			}
			sent := make(chan []byte, 1)
			go func() {
				p, _ := io.ReadAll(far)
				sent <- p
			}()
			if _, _, err := Dial(ctx, scheme+"://u:secret@host.invalid/", o); !errors.Is(err, context.Canceled) {
				t.Errorf("Dial: %v", err)
			}
			if p := <-sent; len(p) > 0 {
				t.Errorf("%q was sent", p)
			}
			_ = far.Close()
		})
	}
}
