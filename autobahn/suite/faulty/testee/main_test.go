package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// TestBothRolesBreakTheirRule, as the suite sees them through the command's flags.
func TestBothRolesBreakTheirRule(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- run(ctx, []string{"server", "-fault", "does-not-answer-pings", "-listen", "127.0.0.1:0", "-compress"}, w)
	}()
	line := make([]byte, 100)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "listening "))
	rep, err := suite.Run(ctx, suite.Options{URL: url, Cases: []string{"1.1.1", "2.2"}, Slowness: 0.5})
	if err != nil || !rep.Results[0].Passes() || rep.Results[1].Passes() {
		t.Errorf("server: %v, %v", rep, err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}

	s, err := suite.NewServer(suite.ServerOptions{Cases: []string{"1.1.1", "2.2"}, Slowness: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	go func() { served <- s.Serve(ctx, ln) }()
	args := []string{"client", "-fault", "does-not-answer-pings", "-url", "ws://" + ln.Addr().String(), "-agent", "A", "-compress"}
	if err := run(ctx, args, io.Discard); err != nil {
		t.Error(err)
	}
	if all := s.Reports(); len(all) != 1 || !all[0].Results[0].Passes() || all[0].Results[1].Passes() {
		t.Errorf("client: %+v", all)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	for _, args := range [][]string{
		nil, {"judge"}, {"server", "-fault", "sings"}, {"client", "-fault", "masks-its-frames"}, {"server", "-listen", "nowhere:1:1"},
		{"client", "-url", "ws://127.0.0.1:1"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
