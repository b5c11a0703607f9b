package suitecmd

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/test/ports"
)

// serve returns the URL of a wss server whose messages come back as answer makes them, and the file to trust it.
func serve(t *testing.T, answer func([]byte) []byte) (url, ca string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		ctx := c.Context()
		_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, answer(m.Data)) })
	}))
	srv.TLS, _ = testtls.Configs(tls.VersionTLS13)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.TLS.Certificates[0].Certificate[0]}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return "wss" + strings.TrimPrefix(srv.URL, "https"), ca
}

func TestAPassPrintsATableAndWritesReports(t *testing.T) {
	url, ca := serve(t, func(b []byte) []byte { return b })
	dir := filepath.Join(t.TempDir(), "reports")
	var stdout, stderr bytes.Buffer
	err := Run(t.Context(), []string{"-url", url, "-ca", ca, "-cases", "1.1.1, 2.*", "-out", dir, "-agent", "Ours 1"}, &stdout, &stderr)
	if err != nil {
		t.Fatalf("%v\n%s", err, &stdout)
	}
	if want := "pass: all 12 cases"; !strings.Contains(stdout.String(), want) {
		t.Errorf("printed\n%s\nwithout %q", &stdout, want)
	}
	if want := "12 of 12"; !strings.Contains(stderr.String(), want) {
		t.Errorf("progress %q without %q", &stderr, want)
	}
	for _, name := range []string{"index.json", "ours_1_case_2_11.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestAFailureIsAnErrorBehindATable(t *testing.T) {
	url, _ := serve(t, func([]byte) []byte { return []byte("something else") })
	var stdout bytes.Buffer
	err := Run(t.Context(), []string{"-url", url, "-insecure", "-cases", "1.1.1", "-quiet"}, &stdout, &stdout)
	if !errors.Is(err, ErrFailed) || !strings.Contains(stdout.String(), "1.1.1: behavior FAILED") {
		t.Errorf("error %v, printed\n%s", err, &stdout)
	}
}

func TestFieldsAreSentWithEachRequest(t *testing.T) {
	var refused atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-File") != "a: b" {
			refused.Add(1)
		}
		if c, err := conn.Accept(w, r, nil); err == nil {
			_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) })
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "fields.txt")
	if err := os.WriteFile(file, []byte("\nX-File: a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	err := Run(t.Context(), []string{"-url", url, "-cases", "1.1.1,20.5.1", "-out", dir, "-agent", "me", "-H", "Authorization: Bearer secret", "-H", "@" + file}, &out, &out)
	if err != nil || refused.Load() > 0 {
		t.Errorf("%v, %d without the fields\n%s", err, refused.Load(), &out)
	}
	for _, name := range []string{"me_case_1_1_1", "me_case_20_5_1"} {
		for _, ending := range []string{".json", ".html"} {
			page, err := os.ReadFile(filepath.Join(dir, name+ending))
			if err != nil || !strings.Contains(string(page), "Authorization: (not shown)") || strings.Contains(string(page), "secret") {
				t.Errorf("%s%s: %v, or it shows the token, or lacks the field", name, ending, err)
			}
		}
	}
	for _, bad := range [][]string{{"-H", "secret"}, {"-H", ": secret"}, {"-H", "@" + file + ".none"}, {"-H", "Upgrade: secret"}} {
		err := Run(t.Context(), append([]string{"-url", url, "-cases", "1.1.1"}, bad...), &out, &out)
		if err == nil || errors.Is(err, ErrFailed) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestAServerThatStartsLateIsAwaited(t *testing.T) {
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	args := []string{"-url", "ws://" + address, "-cases", "1.1.1", "-wait", "50ms"}
	var out bytes.Buffer
	err = Run(t.Context(), args, &out, &out)
	if gone, ok := errors.AsType[*suite.GoneError](err); !ok || gone.Done != 0 || !strings.Contains(out.String(), "waiting for a server at ws://"+address) {
		t.Errorf("error %v, printed %s", err, &out)
	}
	started := make(chan struct{})
	stderr := &starter{start: func() {
		defer close(started)
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		go func() { _ = faulty.Serve(ln, faulty.None) }()
		t.Cleanup(func() { ln.Close() })
	}}
	args[len(args)-1] = "1m"
	if err := Run(t.Context(), args, &out, stderr); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	<-started
}

// starter starts a server when it is told that one is awaited.
type starter struct {
	once  sync.Once
	start func()
}

func (s *starter) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), "waiting") {
		s.once.Do(s.start)
	}
	return len(b), nil
}

func TestWhatCannotBeRunIsAnotherError(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{},
		{"-url", "wss://localhost", "more"},
		{"-what"},
		{"-url", "wss://localhost", "-ca", notPEM},
		{"-url", "wss://localhost", "-ca", notPEM + ".none"},
		{"-url", "wss://localhost", "-cases", "8.*"},
		{"-url", "ws://127.0.0.1:1", "-cases", "1.1.1", "-quiet"},
		{"-url", "ws://127.0.0.1:1", "-out", filepath.Join(notPEM, "in a file"), "-cases", "1.1.1", "-parallel", "1"},
	} {
		var out bytes.Buffer
		if err := Run(t.Context(), args, &out, &out); err == nil || errors.Is(err, ErrFailed) {
			t.Errorf("%q: error %v", args, err)
		}
	}
}
