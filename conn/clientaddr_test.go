package conn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// networks parses prefixes.
func networks(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// requestFrom is a request of a peer with fields, a name before each value.
func requestFrom(peer string, fields ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// TestClientAddr: 10.0.0.0/8 and fd00::/8 are proxies, 203.0.113.0/24 and 2001:db8::/32 clients, and
// 192.0.2.66 is what somebody wants to be taken for.
func TestClientAddr(t *testing.T) {
	const proxy, xff, forwarded = "10.0.0.1:4711", "X-Forwarded-For", "Forwarded"
	for _, tt := range []struct {
		name   string
		header string // Group.ProxyHeader
		peer   string
		fields []string
		want   string
	}{
		{"a peer that is no proxy is not believed", "", "203.0.113.7:1", []string{xff, "192.0.2.66"}, "203.0.113.7"},
		{"a peer just outside the networks is not believed", "", "11.0.0.0:1", []string{xff, "192.0.2.66"}, "11.0.0.0"},
		{"a peer of a unix socket is nobody", "", "@", []string{xff, "192.0.2.66"}, "invalid IP"},
		{"a proxy names its client", "", proxy, []string{xff, "203.0.113.7"}, "203.0.113.7"},
		{"a proxy over IPv6", "", "[fd00::1]:1", []string{xff, "203.0.113.7"}, "203.0.113.7"},
		{"a proxy over a link", "", "[fd00::1%eth0]:1", []string{xff, "203.0.113.7"}, "203.0.113.7"},
		{"a proxy whose address is mapped", "", "[::ffff:10.0.0.1]:1", []string{xff, "203.0.113.7"}, "203.0.113.7"},
		{"a proxy that is the client itself", "", proxy, nil, "10.0.0.1"},
		{"an empty field", "", proxy, []string{xff, ""}, "10.0.0.1"},
		{"what the client wrote is left of its address", "", proxy, []string{xff, "192.0.2.66, 203.0.113.7"}, "203.0.113.7"},
		{"a client that writes a proxy's address", "", proxy, []string{xff, "192.0.2.66, 10.0.0.9, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies", "", proxy, []string{xff, "192.0.2.66,203.0.113.7,\t10.0.0.2 "}, "203.0.113.7"},
		{"proxies alone: the first is the client", "", proxy, []string{xff, "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"lines are joined in order", "", proxy, []string{xff, "192.0.2.66", xff, "203.0.113.7", xff, "10.0.0.2"}, "203.0.113.7"},
		{"an empty line is an entry", "", proxy, []string{xff, "192.0.2.66", xff, "", xff, "10.0.0.2"}, "10.0.0.2"},
		{"no address: the proxy that wrote it", "", proxy, []string{xff, "192.0.2.66, unknown"}, "10.0.0.1"},
		{"no address behind a second proxy", "", proxy, []string{xff, "192.0.2.66, unix:, 10.0.0.2"}, "10.0.0.2"},
		{"an empty entry may be a client without address", "", proxy, []string{xff, "192.0.2.66,"}, "10.0.0.1"},
		{"two addresses without a comma", "", proxy, []string{xff, "192.0.2.66 203.0.113.7"}, "10.0.0.1"},
		{"leading zeros are not decimal for everybody", "", proxy, []string{xff, "203.0.113.007"}, "10.0.0.1"},
		{"with a port", "", proxy, []string{xff, "192.0.2.66:1, 203.0.113.7:80"}, "203.0.113.7"},
		{"IPv6", "", proxy, []string{xff, "2001:DB8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", "", proxy, []string{xff, "[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", "", proxy, []string{xff, "[2001:db8::7]:443"}, "2001:db8::7"},
		{"the zone of another machine", "", proxy, []string{xff, "fe80::7%eth9"}, "fe80::7"},
		{"a mapped address", "", proxy, []string{xff, "::ffff:203.0.113.7"}, "203.0.113.7"},
		{"a mapped address of a proxy", "", proxy, []string{xff, "203.0.113.7, ::ffff:10.1.2.3"}, "203.0.113.7"},
		{"32 proxies", "", proxy, []string{xff, "203.0.113.7" + strings.Repeat(", 10.0.0.2", 31)}, "203.0.113.7"},
		{"33 proxies", "", proxy, []string{xff, "203.0.113.7" + strings.Repeat(", 10.0.0.2", 32)}, "10.0.0.2"},

		{"Forwarded is ignored by default", "", proxy, []string{forwarded, "for=192.0.2.66", xff, "203.0.113.7"}, "203.0.113.7"},
		{"Forwarded alone is ignored by default", "", proxy, []string{forwarded, "for=192.0.2.66"}, "10.0.0.1"},
		{"X-Forwarded-For is ignored with Forwarded", forwarded, proxy, []string{forwarded, "for=203.0.113.7", xff, "192.0.2.66"}, "203.0.113.7"},
		{"X-Forwarded-For alone is ignored with Forwarded", forwarded, proxy, []string{xff, "192.0.2.66"}, "10.0.0.1"},
		{"another field, in any case", "x-real-ip", proxy, []string{"X-Real-IP", "203.0.113.7", xff, "192.0.2.66"}, "203.0.113.7"},

		{"Forwarded, in any case", "forwarded", proxy, []string{forwarded, "For=203.0.113.7"}, "203.0.113.7"},
		{"with other parameters", forwarded, proxy, []string{forwarded, `by=10.0.0.1;for=203.0.113.7; proto=https;host="a,b;c"`}, "203.0.113.7"},
		{"an empty parameter", forwarded, proxy, []string{forwarded, "for=203.0.113.7;"}, "203.0.113.7"},
		{"quoted", forwarded, proxy, []string{forwarded, `for="203.0.113.7"`}, "203.0.113.7"},
		{"quoted with a port", forwarded, proxy, []string{forwarded, `for="203.0.113.7:1234"`}, "203.0.113.7"},
		{"quoted with a hidden port", forwarded, proxy, []string{forwarded, `for="203.0.113.7:_x"`}, "203.0.113.7"},
		{"quoted IPv6", forwarded, proxy, []string{forwarded, `for="[2001:db8::7]"`}, "2001:db8::7"},
		{"quoted IPv6 with a port", forwarded, proxy, []string{forwarded, `for=192.0.2.66, for="[2001:db8::7]:443"`}, "2001:db8::7"},
		{"two proxies that write Forwarded", forwarded, proxy, []string{forwarded, `for=192.0.2.66, for=203.0.113.7, for=10.0.0.2`}, "203.0.113.7"},
		{"two lines of Forwarded", forwarded, proxy, []string{forwarded, `for=192.0.2.66`, forwarded, "for=203.0.113.7"}, "203.0.113.7"},
		{"unknown", forwarded, proxy, []string{forwarded, "for=192.0.2.66, for=unknown"}, "10.0.0.1"},
		{"a hidden name behind a second proxy", forwarded, proxy, []string{forwarded, "for=192.0.2.66, for=_hidden, for=10.0.0.2"}, "10.0.0.2"},
		{"without for", forwarded, proxy, []string{forwarded, "for=192.0.2.66, by=10.0.0.1"}, "10.0.0.1"},
		{"with two for", forwarded, proxy, []string{forwarded, "for=192.0.2.66;for=203.0.113.7"}, "10.0.0.1"},
		{"a parameter that ends in for", forwarded, proxy, []string{forwarded, "for=203.0.113.7;xfor=192.0.2.66"}, "203.0.113.7"},
		{"an address alone", forwarded, proxy, []string{forwarded, "192.0.2.66"}, "10.0.0.1"},
		{"half a quoted string", forwarded, proxy, []string{forwarded, `for="192.0.2.66`}, "10.0.0.1"},
		{"a client's quote does not reach a proxy's entry", forwarded, proxy, []string{forwarded, `for="192.0.2.66, for=203.0.113.7`}, "203.0.113.7"},
		{"nor a quoted one", forwarded, proxy, []string{forwarded, `for=192.0.2.66;x=", for="[2001:db8::7]";host="a"`}, "2001:db8::7"},
		{"a client's backslash escapes no comma", forwarded, proxy, []string{forwarded, `x="\, for="203.0.113.7"`}, "203.0.113.7"},
		{"escaped quotes", forwarded, proxy, []string{forwarded, `for=203.0.113.7;host="a\",\\\"for=192.0.2.66,"`}, "203.0.113.7"},
		{"an empty element and an empty parameter first", forwarded, proxy, []string{forwarded, ",;for=203.0.113.7"}, "203.0.113.7"},
		{"an empty element first", forwarded, proxy, []string{forwarded, ",for=203.0.113.7"}, "203.0.113.7"},
		{"an empty parameter first", forwarded, proxy, []string{forwarded, ";for=203.0.113.7"}, "203.0.113.7"},
		{"an address within a quoted string", forwarded, proxy, []string{forwarded, `for=203.0.113.7;host="a;for=192.0.2.66;b"`}, "203.0.113.7"},
		{"a zone in Forwarded", forwarded, proxy, []string{forwarded, `for="[fe80::7%eth9]"`}, "fe80::7"},
		{"a backslash that should be two", forwarded, proxy, []string{forwarded, `for=203.0.113.7;host="a\"`}, "203.0.113.7"},
		{"a quote alone", forwarded, proxy, []string{forwarded, `for="`}, "10.0.0.1"},
		{"a quote at the end alone", forwarded, proxy, []string{forwarded, `for=x203.0.113.7"`}, "10.0.0.1"},
		{"an escaped backslash before a quote", forwarded, proxy, []string{forwarded, `for=192.0.2.66, host="\\";for=203.0.113.7`}, "203.0.113.7"},
	} {
		g := &Group{TrustedProxies: networks("10.0.0.0/8", "fd00::/8"), ProxyHeader: tt.header}
		r := requestFrom(tt.peer, tt.fields...)
		if got := g.ClientAddr(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if got := new(Group).ClientAddr(r); got != parseAddr(tt.peer) {
			t.Errorf("%s: without trusted proxies %s, want the peer's own", tt.name, got)
		}
	}
}

// TestMappedNetworksAreThoseOfIPv4, and an IPv6 network that holds all mapped ones is not.
func TestMappedNetworksAreThoseOfIPv4(t *testing.T) {
	for network, want := range map[string]string{
		"::ffff:10.0.0.0/104": "203.0.113.7", "::ffff:0.0.0.0/96": "192.0.2.66", "::/0": "10.0.0.1", "::ffff:10.0.0.0/95": "10.0.0.1",
	} {
		g := &Group{TrustedProxies: networks(network)}
		if got := g.ClientAddr(requestFrom("10.0.0.1:1", "X-Forwarded-For", "192.0.2.66, 203.0.113.7")).String(); got != want {
			t.Errorf("%s: %s, want %s", network, got, want)
		}
	}
	g := &Group{TrustedProxies: make([]netip.Prefix, 1)}
	if got := g.ClientAddr(requestFrom("10.0.0.1:1", "X-Forwarded-For", "192.0.2.66")).String(); got != "10.0.0.1" {
		t.Errorf("the zero Prefix trusts: %s", got)
	}
}

// TestLongProxyHeadersTakeLittleTime, whoever writes them: what is read is bounded by hops, and each
// byte of it is read a few times at most.
func TestLongProxyHeadersTakeLittleTime(t *testing.T) {
	const size = 1 << 20
	began := time.Now()
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		g := &Group{TrustedProxies: networks("10.0.0.0/8"), ProxyHeader: header}
		for _, piece := range []string{"10.0.0.2,", "for=10.0.0.2,", `"`, `\`, `\"`, `"\`, ";", ",", "for=", " ", `for="\`} {
			text := strings.Repeat(piece, size/len(piece))
			for _, value := range []string{text, text + `"`, `"` + text + `"`} {
				if got := g.ClientAddr(requestFrom("10.0.0.1:1", header, value)); !g.trusts(got) {
					t.Errorf("%s of %q: %s", header, piece, got)
				}
			}
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
}

// TestClientsBehindAProxyAreCounted each for itself, by Accept and Upgrade, and nobody can be
// counted for another.
func TestClientsBehindAProxyAreCounted(t *testing.T) {
	refused := func(err error) bool {
		e, ok := errors.AsType[*HandshakeError](err)
		return ok && e.Status == http.StatusTooManyRequests
	}
	type dialer func(forwardedFor string) (*Conn, error)
	check := func(t *testing.T, g *Group, dial dialer) {
		first, err := dial("203.0.113.7")
		must(t, first, err)
		second, err := dial("203.0.113.8")
		must(t, second, err)
		for _, spoofed := range []string{"203.0.113.7", "192.0.2.66, 203.0.113.7", "127.0.0.1, 203.0.113.7"} {
			if _, err := dial(spoofed); !refused(err) {
				t.Errorf("%s: %v, want 429", spoofed, err)
			}
		}
		_ = first.CloseNow()
		_ = second.CloseNow()
		awaitLen(g, 0)
		if len(g.addrs) != 0 {
			t.Errorf("left: %v", g.addrs)
		}
	}
	t.Run("Accept", func(t *testing.T) {
		g := &Group{MaxPerAddress: 1, TrustedProxies: networks("127.0.0.0/8", "::1/128")}
		dial := grouped(t, g)
		check(t, g, func(client string) (*Conn, error) { return dial("X-Forwarded-For", client) })
	})
	t.Run("Upgrade", func(t *testing.T) {
		g := &Group{MaxPerAddress: 1, TrustedProxies: networks("127.0.0.0/8"), ProxyHeader: "Forwarded"}
		dial := upgrading(t, &AcceptOptions{Group: g})
		check(t, g, func(client string) (*Conn, error) {
			return dial("Forwarded", "for="+strings.ReplaceAll(client, ", ", ", for="))
		})
	})
	t.Run("refused with proxies that cannot be", func(t *testing.T) {
		g := &Group{TrustedProxies: networks("::/0")}
		if _, err := grouped(t, g)(); err == nil || g.Len() != 0 {
			t.Errorf("%v, %d connections", err, g.Len())
		}
	})
	t.Run("off by default", func(t *testing.T) {
		g := &Group{MaxPerAddress: 1}
		dial := grouped(t, g)
		first, err := dial("X-Forwarded-For", "203.0.113.7")
		must(t, first, err)
		if _, err := dial("X-Forwarded-For", "203.0.113.8", "Forwarded", "for=203.0.113.9"); !refused(err) {
			t.Errorf("%v, want 429", err)
		}
	})
}

// upgrading serves an echo by Upgrade.
func upgrading(t *testing.T, o *AcceptOptions) (dial func(name, value string) (*Conn, error)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			nc, err := NewListener(ln).Accept()
			if err != nil {
				return
			}
			if c, err := Upgrade(context.Background(), nc, o); err == nil {
				c.ServeInBackground(echoBack, nil)
			}
		}
	}()
	return func(name, value string) (*Conn, error) {
		c, _, err := Dial(bg, "ws://"+ln.Addr().String(), &DialOptions{Header: http.Header{name: {value}}})
		if err == nil {
			t.Cleanup(func() { _ = c.CloseNow() })
		}
		return c, err
	}
}
