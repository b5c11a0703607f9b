package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// privateConfig keeps the test from the user's own authority.
func privateConfig(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, dir)
	}
}

func TestOnceConnectsToItselfAndEnds(t *testing.T) {
	privateConfig(t)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-listen", "localhost:0", "-once"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		`page +https://localhost:\d+/`,
		`echo +wss://localhost:\d+/echo`,
		`authority +.*ca\.pem`,
		`connected +TLS 1\.3, TLS_\w+, certificate verified, subprotocol "echo"`,
		`echo +"Hello, 世界 👋" in \d`,
		`ping +answered in \d`,
		`closed .* 1000 .*seen enough`,
	} {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}

func TestServesUntilAnInterrupt(t *testing.T) {
	privateConfig(t)
	ctx, interrupt := context.WithTimeout(t.Context(), time.Minute)
	defer interrupt()
	out, stdout := io.Pipe()
	result := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "localhost:0"}, stdout)
		stdout.Close()
		result <- err
	}()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		seen.Write(buf[:n])
		if strings.Contains(seen.String(), "serving") {
			interrupt()
		}
		if err != nil {
			break
		}
	}
	if err := <-result; err != nil {
		t.Fatalf("after an interrupt: %v\n%s", err, seen.String())
	}
	if !strings.Contains(seen.String(), "ending") {
		t.Errorf("nothing about the end in:\n%s", seen.String())
	}
}

func TestBusyPortSaysHowToChooseAnother(t *testing.T) {
	privateConfig(t)
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	err = run(t.Context(), []string{"-listen", ln.Addr().String()}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), ln.Addr().String()) || !strings.Contains(err.Error(), "-listen localhost:9443") {
		t.Errorf("got %v, want the address and a way out", err)
	}
}

func TestDescribeSaysWhenTheAuthorityIsNotOnDisk(t *testing.T) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(ca); !strings.Contains(got, "in memory") {
		t.Errorf("got %q", got)
	}
}
