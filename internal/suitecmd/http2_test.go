package suitecmd

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	_ "github.com/seed-c4549abd/wss/http2/enable"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestCasesOverHTTP2 are run, and those about its streams; a server without it fails, and says why.
func TestCasesOverHTTP2(t *testing.T) {
	versions := make(chan string, 1000)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		versions <- c.HTTPVersion()
		ctx := c.Context()
		_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, m.Data) })
	}))
	srv.TLS, _ = testtls.Configs(tls.VersionTLS13)
	srv.EnableHTTP2 = true
	srv.TLS.NextProtos = []string{"h2", "http/1.1"}
	if err := http2.Configure(srv.Config); err != nil {
		t.Fatal(err)
	}
	srv.StartTLS()
	defer srv.Close()
	url := "wss" + strings.TrimPrefix(srv.URL, "https")
	var out bytes.Buffer
	if err := Run(t.Context(), []string{"-url", url, "-insecure", "-http2", "-cases", "1.1.*", "-quiet"}, &out, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"pass: all 8 cases", "cases about HTTP/2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nwithout %q", &out, want)
		}
	}
	close(versions)
	for v := range versions {
		if v != "HTTP/2" {
			t.Error(v)
		}
	}
	old, ca := serve(t, func(b []byte) []byte { return b })
	out.Reset()
	if err := Run(t.Context(), []string{"-url", old, "-ca", ca, "-http2", "-cases", "1.1.1", "-quiet"}, &out, &out); err == nil || errors.Is(err, ErrFailed) {
		t.Errorf("%v\n%s", err, &out)
	}
}
