package wrappers

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// Who connects: a proxy that is trusted, and somebody else on this machine.
const trustedProxy, stranger = "127.0.0.1", "127.0.0.2"

// trusting is a listener that takes the PROXY protocol from the trusted proxy alone.
func trusting(t *testing.T, ln net.Listener) net.Listener {
	policy, err := proxyproto.TrustProxyHeaderFromRanges([]string{trustedProxy + "/32"})
	if err != nil {
		t.Fatal(err)
	}
	return &proxyproto.Listener{Listener: ln, ConnPolicy: policy}
}

// grouped serves connections of a group, and returns the URL.
func grouped(t *testing.T, g *conn.Group, wrap func(net.Listener) net.Listener, cfg *tls.Config) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), TLSConfig: cfg, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: g}); err == nil {
			c.ServeInBackground(echo, nil)
		}
	})}
	t.Cleanup(func() { _ = srv.Close() })
	go srv.ServeTLS(wrap(ln), "", "")
	return "wss://" + ln.Addr().String()
}

// as dials from an address of this machine, and sends a PROXY header that names a client, or none.
func as(from, client string, version byte) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, network, addr)
		if err != nil || client == "" {
			return nc, err
		}
		named := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(client), 4567))
		head, err := proxyproto.HeaderProxyFromAddrs(version, named, &net.TCPAddr{IP: named.IP, Port: 443}).Format()
		return &prefixed{nc, head}, err
	}
}

// TestClientsOfThePROXYProtocolAreCounted by the address that a trusted proxy names, in whichever order the listeners are; what
// somebody else names is not believed, and what the client writes into X-Forwarded-For is not looked at.
func TestClientsOfThePROXYProtocolAreCounted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("127.0.0.2 is not everywhere this machine")
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"below NewListener": func(ln net.Listener) net.Listener { return conn.NewListener(trusting(t, ln)) },
		"above NewListener": func(ln net.Listener) net.Listener { return trusting(t, conn.NewListener(ln)) },
	} {
		for _, version := range []byte{1, 2} {
			t.Run(name+", version "+string('0'+version), func(t *testing.T) {
				g := &conn.Group{MaxPerAddress: 1, TrustedProxies: []netip.Prefix{netip.MustParsePrefix(trustedProxy + "/32")}}
				url := grouped(t, g, wrap, sc.Clone())
				dial := func(from, client string) (*conn.Conn, error) {
					c, _, err := conn.Dial(t.Context(), url, &conn.DialOptions{
						TLS: cc, NetDial: as(from, client, version), HandshakeTimeout: 20 * time.Second,
						Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}},
					})
					if err == nil {
						t.Cleanup(func() { _ = c.CloseNow() })
					}
					return c, err
				}
				for _, client := range []string{"203.0.113.7", "203.0.113.8", "2001:db8::7"} {
					if _, err := dial(trustedProxy, client); err != nil {
						t.Fatalf("%s: %v", client, err)
					}
				}
				for _, client := range []string{"203.0.113.7", "2001:db8::8"} { // of the same network as the third
					_, err := dial(trustedProxy, client)
					if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != http.StatusTooManyRequests {
						t.Errorf("a second of %s: %v, want 429", client, err)
					}
				}
				for what, peer := range map[string][2]string{
					"a stranger that names somebody": {stranger, "203.0.113.9"},
					"a stranger that names nobody":   {stranger, ""},
					"a proxy that names nobody":      {trustedProxy, ""},
				} {
					_, err := dial(peer[0], peer[1])
					if _, answered := errors.AsType[*conn.HandshakeError](err); err == nil || answered {
						t.Errorf("%s: %v, want no answer", what, err)
					}
				}
				if n := g.Len(); n != 3 {
					t.Errorf("%d connections, want 3", n)
				}
			})
		}
	}
}
