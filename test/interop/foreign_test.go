package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// diskAuthority returns an authority with files, and the file of its certificate.
func diskAuthority(t *testing.T) (*tlsconf.DevCA, string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Certificate(); err != nil {
		t.Fatal(err)
	}
	return ca, filepath.Join(dir, "localhost.pem")
}

func TestForeignClientReportsItsChecksAndWhatOurServerSaw(t *testing.T) {
	b, out := newTestBench(t)
	ca, _ := diskAuthority(t)
	if err := b.foreignClient(t.Context(), &foreign{name: "fake", client: self(t, "client")}, ca); err != nil {
		t.Fatal(err)
	}
	want := "ok    fake client: closed-by-client\nok    fake client: closed-by-server\n" +
		"ok    fake client: closed-by-client, as our server saw it\nok    fake client: closed-by-server, as our server saw it\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func TestForeignServerIsChecked(t *testing.T) {
	b, out := newTestBench(t)
	ca, certFile := diskAuthority(t)
	if err := b.foreignServer(t.Context(), &foreign{name: "fake", server: self(t, "server")}, ca, certFile); err != nil {
		t.Fatal(err)
	}
	if b.report.failed != 0 || b.report.passed != len(clientChecks) {
		t.Errorf("got\n%s", out)
	}
}

func TestForeignClientThatEndsEarlyFails(t *testing.T) {
	b, out := newTestBench(t)
	bin := t.TempDir()
	fakeProgram(t, bin, "fake", `echo '{"check": "first", "error": "broke"}'; echo a warning`)
	ca, _ := diskAuthority(t)
	err := b.foreignClient(t.Context(), &foreign{name: "fake", client: process.Command{Args: []string{filepath.Join(bin, "fake")}}}, ca)
	if err == nil || !strings.Contains(err.Error(), "before its last check") {
		t.Errorf("got %v", err)
	}
	if out.String() != "FAIL  fake client: first: broke\n" {
		t.Errorf("got %s", out)
	}
}

func TestForeignServerThatDoesNotStartFails(t *testing.T) {
	b, _ := newTestBench(t)
	ca, certFile := diskAuthority(t)
	err := b.foreignServer(t.Context(), &foreign{name: "fake", server: self(t, "unknown")}, ca, certFile)
	if err == nil || !strings.Contains(err.Error(), "no part called unknown") {
		t.Errorf("got %v, want what it said", err)
	}
}

func TestClosingQueryIsEscaped(t *testing.T) {
	got := closing{"a", 4001, "grüße"}.query()
	if want := "?code=4001&id=a&reason=gr%C3%BC%C3%9Fe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
