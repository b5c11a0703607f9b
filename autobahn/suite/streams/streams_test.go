package streams_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite/streams"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	_ "github.com/seed-c4549abd/wss/http2/enable"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// serve returns the URL of a server over HTTP/2.
func serve(t *testing.T, handler http.Handler) (string, *tls.Config) {
	srv := httptest.NewUnstartedServer(handler)
	sc, cc := testtls.Configs(tls.VersionTLS13)
	srv.TLS, srv.EnableHTTP2 = sc, true
	srv.TLS.NextProtos = []string{"h2", "http/1.1"}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if err := http2.Configure(srv.Config); err != nil {
		t.Fatal(err)
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return "wss" + strings.TrimPrefix(srv.URL, "https") + "/", cc
}

func echo(w http.ResponseWriter, r *http.Request) {
	if c, err := conn.Accept(w, r, nil); err == nil {
		_ = c.Serve(context.Background(), func(c *conn.Conn, m conn.Message) error { return c.Write(context.Background(), m.Type, m.Data) })
	}
}

// TestOurServer passes every case.
func TestOurServer(t *testing.T) {
	url, cfg := serve(t, http.HandlerFunc(echo))
	results, err := streams.Run(t.Context(), streams.Options{URL: url, TLS: cfg, Timeout: time.Minute})
	if err != nil || len(results) < 20 {
		t.Fatal(len(results), err)
	}
	for _, r := range results {
		if !r.Passed() {
			t.Errorf("%s %s %s: %s", r.ID, r.Description, r.Expectation, r.Problem)
		}
	}
}

// TestFaultsAreFound: servers that do it wrong do not pass.
func TestFaultsAreFound(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"one that refuses everything": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"one that accepts everything, and echoes octets": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.Copy(w, r.Body)
		},
		"one that accepts and says nothing": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.Copy(io.Discard, r.Body)
		},
		"one that changes messages": func(w http.ResponseWriter, r *http.Request) {
			if c, err := conn.Accept(w, r, nil); err == nil {
				_ = c.Serve(r.Context(), func(c *conn.Conn, m conn.Message) error { return c.Write(r.Context(), m.Type, []byte("other")) })
			}
		},
	} {
		url, cfg := serve(t, handler)
		results, err := streams.Run(t.Context(), streams.Options{URL: url, TLS: cfg, Timeout: 100 * time.Millisecond})
		if err != nil {
			t.Error(name, err)
		}
		failed := 0
		for _, r := range results {
			if !r.Passed() {
				failed++
			}
		}
		if failed < len(results)/2 {
			t.Errorf("%s: only %d of %d cases fail", name, failed, len(results))
		}
	}
}

// TestServersWithoutIt are named, and so are URLs that cannot be used.
func TestServersWithoutIt(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	srv.StartTLS()
	defer srv.Close()
	url := "wss" + strings.TrimPrefix(srv.URL, "https")
	cfg := &tls.Config{InsecureSkipVerify: true}
	if _, err := streams.Run(t.Context(), streams.Options{URL: url, TLS: cfg}); err == nil {
		t.Error("without HTTP/2")
	}
	if _, err := streams.Run(t.Context(), streams.Options{URL: "ws://localhost"}); err == nil {
		t.Error("ws")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := streams.Run(ctx, streams.Options{URL: url, TLS: cfg}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Example tests a server of HTTP/2.
func Example() {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	srv.EnableHTTP2 = true
	if err := http2.Configure(srv.Config); err != nil {
		panic(err)
	}
	srv.StartTLS()
	defer srv.Close()
	results, err := streams.Run(context.Background(), streams.Options{
		URL: "wss" + strings.TrimPrefix(srv.URL, "https") + "/", TLS: &tls.Config{InsecureSkipVerify: true},
	})
	if err != nil {
		panic(err)
	}
	for _, r := range results {
		if !r.Passed() {
			panic(r.Problem)
		}
	}
	// Output:
}
