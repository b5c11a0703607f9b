package conn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
)

// environment sets what decides about proxies, and nothing else.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		t.Setenv(name, "")
		t.Setenv(strings.ToLower(name), "")
	}
	t.Setenv("REQUEST_METHOD", "")
	for name, value := range set {
		t.Setenv(name, value)
	}
}

func TestTheEnvironmentNamesTheProxy(t *testing.T) {
	const host, local = "https://host.example/", "https://localhost/"
	for _, tt := range []struct {
		name string
		set  map[string]string
		url  string
		want string // "error: …" for one
	}{
		{"nothing", nil, host, ""},
		{"https", map[string]string{"HTTPS_PROXY": "http://p:1"}, host, "http://p:1"},
		{"https is not for http", map[string]string{"HTTPS_PROXY": "http://p:1"}, "http://host.example", ""},
		{"http", map[string]string{"HTTP_PROXY": "http://p:1"}, "http://host.example", "http://p:1"},
		{"http is not for https", map[string]string{"HTTP_PROXY": "http://p:1"}, host, ""},
		{"all for https", map[string]string{"ALL_PROXY": "socks5://p:1"}, host, "socks5://p:1"},
		{"all for http", map[string]string{"ALL_PROXY": "socks5h://u:pw@p"}, "http://host.example", "socks5h://u:pw@p"},
		{"the scheme's own first", map[string]string{"ALL_PROXY": "socks5://p:1", "HTTPS_PROXY": "https://q"}, host, "https://q"},
		{"lower case", map[string]string{"https_proxy": "http://p:1"}, host, "http://p:1"},
		{"lower case of all", map[string]string{"all_proxy": "http://p:1"}, host, "http://p:1"},
		{"lower case first", map[string]string{"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, host, "http://p:1"},
		{"no scheme", map[string]string{"HTTPS_PROXY": "p:3128"}, host, "http://p:3128"},
		{"a user without a scheme", map[string]string{"HTTPS_PROXY": "u:pw@p:3128"}, host, "http://u:pw@p:3128"},
		{"a host alone", map[string]string{"HTTPS_PROXY": "p"}, host, "http://p"},
		{"an exception", map[string]string{"HTTPS_PROXY": "http://p", "NO_PROXY": "a.example, host.example"}, host, ""},
		{"an exception of a domain", map[string]string{"HTTPS_PROXY": "http://p", "no_proxy": ".example"}, host, ""},
		{"an exception to all", map[string]string{"ALL_PROXY": "http://p", "NO_PROXY": "host.example"}, host, ""},
		{"exceptions for everything", map[string]string{"ALL_PROXY": "http://p", "NO_PROXY": "*"}, host, ""},
		{"an exception for a network", map[string]string{"HTTPS_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3/", ""},
		{"an exception for a port", map[string]string{"HTTPS_PROXY": "http://p", "NO_PROXY": "host.example:444"}, host, "http://p"},
		{"localhost", map[string]string{"HTTPS_PROXY": "http://p", "ALL_PROXY": "http://p"}, local, ""},
		{"localhost, absolute", map[string]string{"HTTPS_PROXY": "http://p"}, "https://LOCALHOST./", ""},
		{"below localhost", map[string]string{"HTTPS_PROXY": "http://p"}, "https://app.localhost:1/", ""},
		{"like localhost", map[string]string{"HTTPS_PROXY": "http://p"}, "https://notlocalhost/", "http://p"},
		{"loopback, with a dot", map[string]string{"HTTPS_PROXY": "http://p"}, "https://127.0.0.1.:1/", ""},
		{"loopback", map[string]string{"ALL_PROXY": "http://p"}, "https://127.0.0.9:1/", ""},
		{"IPv6 loopback", map[string]string{"ALL_PROXY": "http://p"}, "https://[::1]:1/", ""},
		{"CGI", map[string]string{"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, "http://host.example", "error: CGI"},
		{"CGI with https", map[string]string{"HTTPS_PROXY": "http://p", "REQUEST_METHOD": "GET"}, host, "http://p"},
		{"CGI with all", map[string]string{"ALL_PROXY": "http://p", "REQUEST_METHOD": "GET"}, "http://host.example", "http://p"},
		{"not a URL", map[string]string{"HTTPS_PROXY": "http://u:secret@p:port"}, host, "error: HTTPS_PROXY"},
		{"not a URL, and not needed", map[string]string{"HTTPS_PROXY": "http://u:secret@p:port"}, local, ""},
		{"no host", map[string]string{"ALL_PROXY": "http://:80"}, host, "error: ALL_PROXY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.name == "lower case first" {
				t.Skip("names have no case there")
			}
			environment(t, tt.set)
			target, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			u, err := ProxyFromEnvironment(&http.Request{URL: target})
			if says, isError := strings.CutPrefix(tt.want, "error: "); isError {
				if u != nil || err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v, %v", u, err)
				}
				return
			}
			got := ""
			if u != nil {
				got = u.String()
			}
			if got != tt.want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestDialGoesByTheEnvironment, as it is at each call, unless Proxy, NetDial or NetDialTLS say how to reach the host.
func TestDialGoesByTheEnvironment(t *testing.T) {
	secure, o := serve(t, echoHandler(nil), true, true)
	plain, _ := serve(t, echoHandler(nil), false, true)
	p := startProxy(t, rules{to: strings.TrimPrefix(secure, "wss://"), user: "u:secret"})
	socks := startSOCKS(t, rules{to: strings.TrimPrefix(plain, "ws://")})
	environment(t, map[string]string{"HTTPS_PROXY": p.url().String(), "ALL_PROXY": socks.url().String()})
	exchangeEcho(t, "wss://host.invalid/", o, nil)
	exchangeEcho(t, "ws://host.invalid/", nil, nil)
	exchangeEcho(t, secure, o, nil) // a loopback address
	if seen := p.seen(); len(seen) != 1 || seen[0].Host != "host.invalid:443" {
		t.Errorf("the proxy saw %v", seen)
	}
	if target := <-socks.targets; target != "host.invalid:80" {
		t.Errorf("SOCKS5 was asked for %s", target)
	}
	environment(t, map[string]string{"HTTPS_PROXY": "ftp://u:secret@" + p.addr})
	if e := proxyError(t, "wss://host.invalid/", o); e.Token != "proxy_config" {
		t.Error(e)
	}

	environment(t, map[string]string{"ALL_PROXY": p.url().String()})
	asked := errors.New("asked")
	never := func(_ context.Context, _, addr string) (net.Conn, error) {
		if addr != "host.invalid:443" {
			t.Errorf("dialed %s", addr)
		}
		return nil, asked
	}
	for name, o := range map[string]*DialOptions{
		"NetDial": {NetDial: never}, "NetDialTLS": {NetDialTLS: never},
		"no proxy": {NetDial: never, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }},
	} {
		if _, _, err := Dial(bg, "wss://host.invalid/", o); !errors.Is(err, asked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := *o
	both.Proxy, both.NetDial = ProxyFromEnvironment, new(net.Dialer).DialContext
	exchangeEcho(t, "wss://host.invalid/", &both, nil)
	if n := len(p.seen()); n != 2 {
		t.Errorf("%d requests to the proxy", n)
	}
}
