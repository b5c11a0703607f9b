package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		args  string
		only  string
		wrong bool
	}{
		{args: ""}, {args: "-only squid -timeout 1s", only: "squid"},
		{args: "-only polipo", wrong: true}, {args: "-timeout 0s", wrong: true}, {args: "squid", wrong: true}, {args: "-x", wrong: true},
	} {
		o, err := parseOptions(strings.Fields(tt.args), io.Discard)
		if tt.wrong != (err != nil) || err == nil && o.only != tt.only {
			t.Errorf("%q: %+v, %v", tt.args, o, err)
		}
	}
	if status := run(context.Background(), []string{"-only", "polipo"}, io.Discard, io.Discard); status != exitUsage {
		t.Errorf("status %d", status)
	}
}

func TestNoChecksAreAFailure(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	if r.close() {
		t.Error("nothing was checked, and all is well")
	}
	r.add("one", nil)
	if !r.close() {
		t.Error("one check passed, and all is not well")
	}
	r.add("two", errors.New("a\nb"))
	if r.close() || !strings.Contains(out.String(), "FAIL  two: a\n      b\n1 passed, 1 failed\n") {
		t.Error(out.String())
	}
}

// TestTheChecksNotice: a refusal that is none, an echo that does not come, another token.
func TestTheChecksNotice(t *testing.T) {
	b, end, err := newBench(io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	direct := &conn.DialOptions{TLS: b.origin.client, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
	for _, target := range []string{"ws://" + b.origin.ws, "wss://" + b.origin.wss} {
		if err := b.echoes(direct, target)(ctx); err != nil {
			t.Error(err)
		}
	}
	if err := b.echoes(direct, "ws://"+unreachable)(ctx); err == nil {
		t.Error("an echo came from nowhere")
	}
	if err := b.refusal("http", "1", nil, "wss://"+b.origin.wss, "proxy_auth", 0)(ctx); err == nil {
		t.Error("proxy_unreachable passed for proxy_auth")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	if nc, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		_ = nc.Close()
		t.Error("the port is not free")
	}
}

// TestAProgramThatEndsIsReported, and one that cannot be found.
func TestAProgramThatEndsIsReported(t *testing.T) {
	b := &bench{work: t.TempDir(), log: io.Discard}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.start(t.Context(), []string{"go", "no-such-command"}, port); err == nil || !strings.Contains(err.Error(), "no-such-command") {
		t.Error(err)
	}
	if _, err := b.start(t.Context(), []string{"wss-no-such-program"}, port); err == nil {
		t.Error("it was started")
	}
}
