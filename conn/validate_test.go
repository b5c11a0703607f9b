package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

func TestValidateOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *AcceptOptions
		want string
	}{
		{"nil", nil, ""},
		{"zero", &AcceptOptions{}, ""},
		{"good", &AcceptOptions{OriginPatterns: []string{"*.example.com"}, Compression: Compression{Mode: CompressionTakeover}}, ""},
		{"every origin by a pattern", &AcceptOptions{OriginPatterns: []string{"*"}}, "AllowAnyOrigin"},
		{"a subprotocol that is no token", &AcceptOptions{Subprotocols: []string{"a b"}}, "not a token"},
		{"a field of the handshake", &AcceptOptions{Header: http.Header{"Upgrade": {"x"}}}, "belongs to the handshake"},
		{"a window that does not exist", &AcceptOptions{Compression: Compression{Mode: CompressionTakeover, WindowBits: 7}}, "window bits"},
		{"proxies", &AcceptOptions{Group: &Group{TrustedProxies: networks("10.0.0.0/8", "::1/128", "::ffff:10.0.0.0/97", "::ffff:10.0.0.0/95"), ProxyHeader: "X-Real_IP9"}}, ""},
		{"a network that was not parsed", &AcceptOptions{Group: &Group{TrustedProxies: make([]netip.Prefix, 1)}}, "netip.ParsePrefix"},
		{"everybody is a proxy", &AcceptOptions{Group: &Group{TrustedProxies: networks("10.0.0.0/8", "0.0.0.0/0")}}, "0.0.0.0/0"},
		{"everybody is a proxy, IPv6", &AcceptOptions{Group: &Group{TrustedProxies: networks("::/0")}}, "::/0"},
		{"everybody is a proxy, mapped", &AcceptOptions{Group: &Group{TrustedProxies: networks("::ffff:0.0.0.0/96")}}, "0.0.0.0/0"},
		{"two fields of proxies", &AcceptOptions{Group: &Group{ProxyHeader: "Forwarded, X-Forwarded-For"}}, "Group.ProxyHeader"},
		{"a field with a colon", &AcceptOptions{Group: &Group{ProxyHeader: "Forwarded:"}}, "Group.ProxyHeader"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.o.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*HandshakeError](err)
			if !ok || e.Status != 500 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestBadOptionsAreLoggedOnce: where the server's own errors go, as nobody looks at the error
// of a request that has been answered.
func TestBadOptionsAreLoggedOnce(t *testing.T) {
	bad := func() *AcceptOptions { // another text each time, as what was logged stays known
		return &AcceptOptions{OriginPatterns: []string{fmt.Sprintf("https://example.com/%d", rand.Uint64())}}
	}
	first, second := bad(), bad()
	var out bytes.Buffer
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := map[string]*AcceptOptions{"/1": first, "/2": second}[r.URL.Path]
		if _, err := Accept(w, r, o); err == nil {
			t.Error("accepted")
		}
	}))
	srv.Config.ErrorLog = log.New(&out, "", 0)
	srv.Start()
	for _, path := range []string{"/1", "/1", "/2", "/1", "/3", "/2"} {
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if strings.Contains(string(body), "pattern") {
			t.Errorf("the client is told %q", body)
		}
	}
	srv.Close()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], first.OriginPatterns[0]) || !strings.Contains(lines[1], second.OriginPatterns[0]) {
		t.Errorf("logged:\n%s", out.String())
	}

	t.Run("by package log, without an http.Server", func(t *testing.T) {
		var out bytes.Buffer
		defer log.SetOutput(log.Writer())
		log.SetOutput(&out)
		o := bad()
		for range 2 {
			a, b := pipe.New(1 << 16)
			_, _ = io.WriteString(a, requestHead)
			_ = a.CloseWrite()
			if _, err := Upgrade(bg, net.Conn(b), o); err == nil {
				t.Error("accepted")
			}
			_ = a.Close()
		}
		if n := strings.Count(out.String(), o.OriginPatterns[0]); n != 1 {
			t.Errorf("logged %d times:\n%s", n, out.String())
		}
	})
}

// TestWhatIsLoggedIsBounded: in number, and to what the server's program is to blame for.
func TestWhatIsLoggedIsBounded(t *testing.T) {
	var out bytes.Buffer
	srv := &http.Server{ErrorLog: log.New(&out, "", 0)}
	ctx := contextWith(srv)
	var l reports
	l.report(ctx, errors.New("something else"))
	l.report(ctx, &HandshakeError{Status: 403, Token: "origin", Reason: "no"})
	if out.Len() > 0 {
		t.Errorf("logged %q", out.String())
	}
	for i := range 1000 {
		l.report(ctx, &HandshakeError{Status: 500, Token: "server_bug", Reason: fmt.Sprint(i)})
	}
	if n := strings.Count(out.String(), "\n"); n != 64 {
		t.Errorf("%d lines", n)
	}
}

func contextWith(srv *http.Server) context.Context {
	return context.WithValue(bg, http.ServerContextKey, srv)
}
