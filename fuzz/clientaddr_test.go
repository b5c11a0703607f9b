package fuzz

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// FuzzClientAddr: whatever a client writes into the fields of proxies, in as many lines as it likes,
// it is counted by the address that the nearest proxies add. From a peer that is no proxy nothing is
// believed.
func FuzzClientAddr(f *testing.F) {
	for _, s := range []string{
		"", "192.0.2.66", "192.0.2.66, 10.0.0.2", "unknown", "for=192.0.2.66", `for="[2001:db8::66]:1";by=_x`, `for="`, `a="\`,
		"for=192.0.2.66\nfor=10.0.0.3", "10.0.0.2:80,[fd00::1]", `for="192.0.2.66;x=`,
	} {
		for how := range byte(8) {
			f.Add(s, how)
		}
	}
	f.Fuzz(func(t *testing.T, written string, how byte) {
		client, line := netip.MustParseAddr("203.0.113.7"), how&1 != 0
		entries := []string{"203.0.113.7", "10.0.0.2"}
		g := &conn.Group{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		name := "X-Forwarded-For"
		if how&2 != 0 {
			name, g.ProxyHeader = "Forwarded", "Forwarded"
			entries = []string{`for=203.0.113.7;host="a\"b,c"`, `by=_p;for="10.0.0.2:1"`}
		}
		if how&4 != 0 {
			entries = entries[:1] // one proxy
		}
		values := strings.Split(written, "\n")
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{name: values}}
		if got := g.ClientAddr(r); got.Zone() != "" {
			t.Errorf("%q: %s has the zone of another machine", written, got)
		}
		r.RemoteAddr = "203.0.113.8:1"
		if got := g.ClientAddr(r).String(); got != "203.0.113.8" {
			t.Errorf("%q from a peer that is no proxy: %s", written, got)
		}
		r.RemoteAddr = "10.0.0.1:1"
		for _, e := range entries {
			if line {
				values = append(values, e)
			} else {
				values[len(values)-1] += ", " + e
			}
		}
		r.Header[name] = values
		if got := g.ClientAddr(r); got != client {
			t.Errorf("%q: %s, want %s", values, got, client)
		}
	})
}
