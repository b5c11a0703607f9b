package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

func TestWrongUseOfFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "squid"}, {"-timeout", "0s"}, {"nginx"}, {"-unknown"}} {
		if status := run(t.Context(), args, io.Discard, io.Discard); status != exitUsage {
			t.Errorf("%q: status %d", args, status)
		}
	}
	if status := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); status != 0 {
		t.Errorf("-h: status %d", status)
	}
}

func TestReportFailsWithoutChecks(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	if r.close() {
		t.Error("nothing passed")
	}
	r.add("one", nil)
	if !r.close() {
		t.Error("one passed")
	}
	r.add("two", errors.New("first\nsecond"))
	if r.close() || !strings.Contains(out.String(), "FAIL  two: first\n      second\n") {
		t.Errorf("%s", &out)
	}
}

// direct is a route to our server without a proxy in between.
func direct(t *testing.T) *route {
	t.Helper()
	l, err := newLaboratory(&report{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return &route{running: &running{l: l, port: portOf(l.backend.tls)}}
}

// TestOurServerAlone passes what does not need a proxy.
func TestOurServerAlone(t *testing.T) {
	r := direct(t)
	for name, check := range map[string]func(context.Context, *route) error{
		"handshake": checkHandshake, "origin": checkOrigin, "pattern": checkPattern, "messages": checkMessages, "pings": checkPings,
		"closed by the client": checkClosedByClient, "closed by the server": checkClosedByServer,
		"a stranger": func(ctx context.Context, r *route) error { return r.l.checkStranger(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a stranger" && runtime.GOOS != "linux" {
				t.Skip("127.0.0.2 is not everywhere this machine")
			}
			if err := check(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestChecksFind what is wrong: without a proxy there is none of its symptoms, and everything fails without a server.
func TestChecksFind(t *testing.T) {
	r := direct(t)
	for name, check := range map[string]func(context.Context, *route) error{
		"refused": refused(http.StatusBadGateway), "old TLS": checkOldTLS, "counted as one": checkCountedAsOne("untrusting"),
		"taken": checkTaken, "taken, Forwarded": checkTakenForwarded,
		"no connect": func(ctx context.Context, r *route) error { return r.checkNoConnect(ctx) },
		"page":       func(ctx context.Context, r *route) error { return r.checkPage(ctx) },
	} {
		if err := check(t.Context(), r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r.l.backend.close()
	for _, c := range checks {
		if err := c.run(t.Context(), r); err == nil {
			t.Errorf("%s: no error without a server", c.name)
		}
	}
}

// TestAServerWithoutRFC8441IsNamed: net/http takes no extended CONNECT by default.
func TestAServerWithoutRFC8441IsNamed(t *testing.T) {
	r := direct(t)
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.EnableHTTP2 = true
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: r.l.ca.GetCertificate, HTTP2: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.TLS = cfg
	srv.StartTLS()
	defer srv.Close()
	r.port, r.http2 = srv.Listener.Addr().(*net.TCPAddr).Port, true
	c, err := r.dial(t.Context(), "127.0.0.1", "")
	if err == nil {
		_ = c.Close(conn.StatusNormalClosure, "")
	}
	if !errors.Is(err, errNoConnect) {
		t.Errorf("got %v, want %v", err, errNoConnect)
	}
}
