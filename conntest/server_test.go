package conntest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

func TestARefusedHandshake(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		refuse := echo(&conn.AcceptOptions{Check: func(r *http.Request) error {
			return &conn.HandshakeError{Status: http.StatusUnauthorized, Token: "no_token", Body: []byte("who are you?")}
		}})
		c, resp, err := Dial(t, refuse, &o)
		e, ok := errors.AsType[*conn.HandshakeError](err)
		if !ok || e.Status != http.StatusUnauthorized || resp == nil || c.Conn != nil {
			t.Fatalf("%v, %v", resp, err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != "who are you?" {
			t.Errorf("body %q", body)
		}
		if got := c.Transcript(); !o.NoTranscript && !strings.HasSuffix(got, " HTTP/1.1\nserver: HTTP/1.1 401 Unauthorized\n") {
			t.Errorf("%s", got)
		}
		c.Cut(Reset)
		if _, ok := c.TLS(); ok && o.NoTranscript {
			t.Error("TLS without a connection")
		}
	})
}

func TestAHandlerThatPanics(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		_, resp, err := Dial(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("before Accept") }), &o)
		if err == nil || resp != nil {
			t.Errorf("%v, %v", resp, err)
		}
		c := Pipe(t, handler(nil, func(*conn.Conn) { panic(http.ErrAbortHandler) }), &o)
		if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusAbnormal {
			t.Errorf("%v", err)
		}
	})
}

// TestAHandlerThatReturnsEarly, after Accept: nobody reads from its connection.
func TestAHandlerThatReturnsEarly(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := conn.Accept(w, r, nil); err != nil {
				t.Error(err)
			}
		})
		c := Pipe(t, h, &o)
		_, _, err := c.Read(bg)
		if conn.CloseStatus(err) != conn.StatusInternalError {
			t.Errorf("%v", err)
		}
		Pipe(t, h, &o) // and the test ends before the server notices
		_, resp, err := Dial(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), &o)
		if err == nil || resp == nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%v, %v", resp, err)
		}
	})
}

// fakeTB is a testing.TB that records its reports.
type fakeTB struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}
func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fakeTB) Helper()          {}

// run returns the reports of f.
func (f *fakeTB) run(test func(testing.TB)) []string {
	func() {
		defer func() {
			if r := recover(); r != nil && r != f {
				panic(r)
			}
		}()
		test(f)
	}()
	for len(f.cleanups) > 0 {
		last := len(f.cleanups) - 1
		c := f.cleanups[last]
		f.cleanups = f.cleanups[:last]
		c()
	}
	return f.errors
}

func TestAHandlerThatDoesNotReturnFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		got := (&fakeTB{TB: t}).run(func(t testing.TB) {
			Pipe(t, handler(nil, func(c *conn.Conn) { <-release }), nil)
		})
		if len(got) != 1 || !strings.Contains(got[0], "a handler has not returned 10s after") {
			t.Errorf("%q", got)
		}
		close(release)
	})
}

func TestMistakesFailTheTest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    *Options
		h    http.Handler
		want string
	}{
		{"another scheme", &Options{URL: "ftp://localhost/"}, echo(nil), "want ws:// or wss://"},
		{"no URL", &Options{URL: "::"}, echo(nil), "missing protocol scheme"},
		{"no host", &Options{URL: "ws:///chat"}, echo(nil), "want ws:// or wss://"},
		{"a refusal", nil, http.NotFoundHandler(), "404"},
		{"a certificate that the client does not trust", &Options{URL: "wss://localhost/", TLS: serverTLS()}, echo(nil), "certificate"},
		{"options that cannot be used", &Options{Dial: &conn.DialOptions{Header: http.Header{"Upgrade": {"x"}}}}, echo(nil), "Upgrade"},
	} {
		got := (&fakeTB{TB: t}).run(func(t testing.TB) { Pipe(t, tt.h, tt.o) })
		if len(got) != 1 || !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func serverTLS() *tls.Config {
	s, _ := testtls.Configs(tls.VersionTLS13)
	return s
}

// TestYourOwnTLS, with a client certificate that the handler sees.
func TestYourOwnTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		synctest.Test(t, func(t *testing.T) {
			server, client := testtls.Configs(version)
			server.ClientAuth = tls.RequireAnyClientCert
			client.Certificates = server.Certificates
			c := Pipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 || r.TLS.Version != version {
					t.Errorf("%+v", r.TLS)
				}
				echo(nil).ServeHTTP(w, r)
			}), &Options{URL: "https://localhost", TLS: server, Dial: &conn.DialOptions{TLS: client}})
			exchanged(t, c, "hello")
			if state, ok := c.TLS(); !ok || state.Version != version {
				t.Errorf("%v, %v", state.Version, ok)
			}
		})
	}
}

// TestSeveralClientsOfOneServer: a broadcast, per-address limits, and paths of their own.
func TestSeveralClientsOfOneServer(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		group := &conn.Group{MaxPerAddress: 3}
		s := NewServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group})
			if err != nil {
				return
			}
			_ = c.Write(bg, conn.Text, []byte(r.Host+r.URL.RequestURI()+" "+r.RemoteAddr))
			_, _, _ = c.Read(bg)
		}), &o)
		var clients []*Client
		for i := range 3 {
			c := s.Connect(fmt.Sprintf("/room/%d?x=y", i), nil)
			_, p, err := c.Read(bg)
			want := fmt.Sprintf("/room/%d?x=y 192.0.2.1:%d", i, 49152+i)
			if err != nil || !strings.HasSuffix(string(p), want) {
				t.Errorf("%q, %v", p, err)
			}
			clients = append(clients, c)
		}
		if _, resp, err := s.Dial(bg, "", nil); err == nil || resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("a fourth: %v, %v", resp, err)
		}
		p, _ := conn.Prepare(conn.Text, []byte("all"))
		if n := group.Broadcast(bg, nil, p); n != 3 {
			t.Errorf("%d took it", n)
		}
		for _, c := range clients {
			if _, p, err := c.Read(bg); string(p) != "all" || err != nil {
				t.Errorf("%q, %v", p, err)
			}
		}
		if n := s.Dials(); n != 4 {
			t.Errorf("%d dials", n)
		}
		synctest.Wait()
		if n := s.Open(); n != 3 {
			t.Errorf("%d open", n)
		}
	})
}

func TestTheClientsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.RemoteAddr != "[2001:db8::1]:49152" || r.Host != "localhost" {
				t.Errorf("%s, %s", r.RemoteAddr, r.Host)
			}
			echo(nil).ServeHTTP(w, r)
		}), &Options{ClientIP: netip.MustParseAddr("2001:db8::1")})
		if got := c.LocalAddr().String() + " " + c.RemoteAddr().String(); got != "[2001:db8::1]:49152 192.0.2.2:80" {
			t.Error(got)
		}
	})
}

func TestAServerThatIsDown(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		s := NewServer(t, echo(nil), &o)
		c := s.Connect("", nil)
		s.Down(Reset)
		s.Down(Reset)
		if _, _, err := c.Read(bg); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		if _, _, err := s.Dial(bg, "", nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		s.Up()
		s.Up()
		exchanged(t, s.Connect("", nil), "hello")
	})
}

// TestCodeThatDialsByItself is given options, and its handshake may be cancelled.
func TestCodeThatDialsByItself(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		s := NewServer(t, echo(nil), &o)
		c, _, err := conn.Dial(bg, s.URL, s.DialOptions(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(bg)
		cancel()
		if _, _, err := conn.Dial(ctx, s.URL, s.DialOptions(&conn.DialOptions{TLS: &tls.Config{MinVersion: tls.VersionTLS13}})); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAnOrderlyShutdown(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		group := &conn.Group{}
		s := NewServer(t, echo(&conn.AcceptOptions{Group: group}), &o)
		c := s.Connect("", nil)
		ctx, cancel := context.WithTimeout(bg, time.Minute)
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- group.ShutdownServer(ctx, s.HTTP, conn.ShutdownOptions{Code: conn.StatusServiceRestart})
		}()
		if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusServiceRestart {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, _, err := s.Dial(bg, "", nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
	})
}

func TestTheServerIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(t, nil, &Options{Server: func(srv *http.Server) {
			srv.ReadHeaderTimeout = time.Minute
			srv.Handler = echo(nil)
		}})
		exchanged(t, s.Connect("", nil), "hello")
		nc, err := s.NetDial(bg, "tcp", "anything")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := io.ReadAll(nc); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d < time.Minute || d > time.Minute+2*DefaultLatency {
			t.Errorf("a slow client was given up after %v", d)
		}
		_ = nc.Close()
	})
}

func TestAServerOutsideOfTheBubble(t *testing.T) {
	s := NewServer(t, echo(nil), nil)
	synctest.Test(t, func(t *testing.T) {
		if _, _, err := s.Dial(bg, "", nil); !errors.Is(err, errBubble) {
			t.Error(err)
		}
	})
}
