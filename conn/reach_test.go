package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// otherTLS is a connection of a TLS implementation that is not crypto/tls.
type otherTLS struct{ net.Conn }

// TestNetDialTLSBringsItsOwnTLS: Dial adds none, and reports that of a *tls.Conn, whose handshake it completes.
func TestNetDialTLSBringsItsOwnTLS(t *testing.T) {
	t.Parallel()
	url, trust := serve(t, echoHandler(nil), true, true)
	for _, tt := range []struct {
		name string
		done bool
		wrap func(*tls.Conn) net.Conn
		tls  bool
	}{
		{"crypto/tls", true, func(tc *tls.Conn) net.Conn { return tc }, true},
		{"crypto/tls before its handshake", false, func(tc *tls.Conn) net.Conn { return tc }, true},
		{"another implementation", true, func(tc *tls.Conn) net.Conn { return otherTLS{tc} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &DialOptions{
				TLS: &tls.Config{ServerName: "not used"},
				NetDial: func(context.Context, string, string) (net.Conn, error) {
					t.Error("NetDial was called")
					return nil, errors.New("called")
				},
				NetDialTLS: func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := new(net.Dialer).DialContext(ctx, network, addr)
					if err != nil {
						return nil, err
					}
					tc := tls.Client(nc, trust.TLS)
					if tt.done {
						err = tc.HandshakeContext(ctx)
					}
					return tt.wrap(tc), err
				},
			}
			exchangeEcho(t, url, o, func(c *Conn) {
				if _, ok := c.TLS(); ok != tt.tls {
					t.Errorf("TLS reports %v", ok)
				}
			})
		})
	}
}

// TestNetDialTLSIsForDirectWSSOnly: ws, and connections through a proxy, are NetDial's.
func TestNetDialTLSIsForDirectWSSOnly(t *testing.T) {
	t.Parallel()
	url, o := serve(t, echoHandler(nil), true, true)
	plain, _ := serve(t, echoHandler(nil), false, true)
	var dialed atomic.Int64
	o.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialed.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	o.NetDialTLS = func(context.Context, string, string) (net.Conn, error) {
		t.Error("NetDialTLS was called")
		return nil, errors.New("called")
	}
	exchangeEcho(t, plain, o, nil)
	for _, secure := range []bool{false, true} {
		exchangeEcho(t, url, startProxy(t, rules{secure: secure}).through(o), func(c *Conn) {
			if state, ok := c.TLS(); !ok || state.Version != tls.VersionTLS13 {
				t.Error("no TLS with the host")
			}
		})
	}
	if dialed.Load() != 3 {
		t.Errorf("NetDial was called %d times", dialed.Load())
	}
}

// TestWhatNetDialTLSMustNotReturn: each is an error, and closed.
func TestWhatNetDialTLSMustNotReturn(t *testing.T) {
	t.Parallel()
	failure := errors.New("failure")
	h2 := func(wrap func(net.Conn) net.Conn) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, far := pipe.New(1 << 16)
			sc, cc := testtls.Configs(tls.VersionTLS13)
			sc.NextProtos, cc.NextProtos = []string{"h2"}, []string{"h2"}
			go func() {
				server := tls.Server(far, sc)
				_, _ = server.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00")) // SETTINGS
				_, _ = io.Copy(io.Discard, server)
				_ = far.Close()
			}()
			tc := tls.Client(near, cc)
			return wrap(tc), tc.HandshakeContext(ctx)
		}
	}
	for _, tt := range []struct {
		name, says string
		dial       func(context.Context, string, string) (net.Conn, error)
	}{
		{"nothing", "neither a connection nor an error", func(context.Context, string, string) (net.Conn, error) { return nil, nil }},
		{"an error", "failure", func(context.Context, string, string) (net.Conn, error) { return nil, failure }},
		{"h2", "HTTP/2", h2(func(nc net.Conn) net.Conn { return nc })},
		{"h2 of another implementation", "HTTP/2", h2(func(nc net.Conn) net.Conn { return otherTLS{nc} })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, err := Dial(bg, "wss://localhost/", &DialOptions{NetDialTLS: tt.dial})
			if c != nil || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, %v", c, err)
			}
			if e, ok := errors.AsType[*HandshakeError](err); strings.HasPrefix(tt.name, "h2") && (!ok || e.Token != "bad_http_version") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("h2 under Client", func(t *testing.T) {
		t.Parallel()
		nc, err := h2(func(nc net.Conn) net.Conn { return nc })(bg, "", "")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Client(bg, nc, "wss://localhost/", nil)
		if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "bad_http_version" {
			t.Error(err)
		}
	})
	t.Run("a handshake without end", func(t *testing.T) {
		t.Parallel()
		mute := listenMute(t)
		_, _, err := Dial(bg, "wss://localhost/", &DialOptions{HandshakeTimeout: 30 * time.Millisecond,
			NetDialTLS: func(context.Context, string, string) (net.Conn, error) {
				nc, err := net.Dial("tcp", mute)
				return tls.Client(nc, &tls.Config{ServerName: "localhost"}), err
			}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestUnixSockets: NetDial connects to one, with TLS and without; our transport takes its descriptor.
func TestUnixSockets(t *testing.T) {
	t.Parallel()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	for _, secure := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "s")
		ln, err := net.Listen("unix", path)
		if err != nil {
			t.Skip("no unix sockets here: ", err)
		}
		srv := &http.Server{Handler: echoHandler(nil), TLSConfig: sc}
		served := make(chan struct{})
		go func() {
			defer close(served)
			if secure {
				_ = srv.ServeTLS(NewListener(ln), "", "")
			} else {
				_ = srv.Serve(NewListener(ln))
			}
		}()
		scheme := map[bool]string{false: "ws", true: "wss"}[secure]
		exchangeEcho(t, scheme+"://localhost/", &DialOptions{TLS: cc, NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}, func(c *Conn) {
			if c.RemoteAddr().Network() != "unix" {
				t.Errorf("connected to %v", c.RemoteAddr())
			}
		})
		_ = srv.Close()
		<-served
	}
}

// TestHostsInOtherScriptsAreDialedInASCII: the address, the name in the ClientHello and the Host field.
func TestHostsInOtherScriptsAreDialedInASCII(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"wss://b\u00fccher.example:8443/": "xn--bcher-kva.example", "wss://FA\u00df.de:8443/": "xn--fa-hia.de",
		"wss://a_b.example:8443/": "a_b.example",
	} {
		near, far := net.Pipe()
		sc, cc := testtls.Configs(tls.VersionTLS13)
		cc.ServerName, cc.InsecureSkipVerify = "", true
		host, named := make(chan string, 1), make(chan string, 1)
		sc.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			named <- hello.ServerName
			return nil, nil
		}
		go func() {
			defer far.Close()
			c, err := Upgrade(bg, tls.Server(far, sc), &AcceptOptions{Check: func(r *http.Request) error {
				host <- r.Host
				return nil
			}})
			if err == nil {
				_ = c.Close(StatusNormalClosure, "")
			}
		}()
		c, _, err := Dial(bg, raw, &DialOptions{TLS: cc, NetDial: func(_ context.Context, _, addr string) (net.Conn, error) {
			if addr != want+":8443" {
				t.Errorf("%s: dialed %s", raw, addr)
			}
			return near, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(bg); CloseStatus(err) != StatusNormalClosure {
			t.Error(err)
		}
		if h, n := <-host, <-named; h != want+":8443" || n != want {
			t.Errorf("%s: Host %s, ServerName %s", raw, h, n)
		}
	}
	_, _, err := Dial(bg, "wss://a\uff0fb.example/", nil)
	if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "bad_url" {
		t.Errorf("an invalid host: %v", err)
	}
}

// TestATypedNilIsNoConnection: dial functions of users return one by mistake.
func TestATypedNilIsNoConnection(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*DialOptions{
		"NetDial":    {NetDial: func(context.Context, string, string) (net.Conn, error) { return (*net.TCPConn)(nil), nil }},
		"NetDialTLS": {NetDialTLS: func(context.Context, string, string) (net.Conn, error) { return (*tls.Conn)(nil), nil }},
	} {
		if _, _, err := Dial(bg, "wss://host.invalid/", o); err == nil || !strings.Contains(err.Error(), name+" returned neither") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
