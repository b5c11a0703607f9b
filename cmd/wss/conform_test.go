package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func TestConformJudgesAServer(t *testing.T) {
	s := startServe(t, "-echo")
	runCommand(t, "conform", s.url, "-cases", "1.1.1,2.*", "-quiet").check(t, 0, "pass: all 12 cases")
	runCommand(t, "conform", "-insecure", "-cases", "1.1.1", "-quiet", s.url).check(t, 0, "pass: all 1 cases")
	srv := newCloser(t, 1000, "")
	runCommand(t, "conform", "-cases", "1.1.2", "-quiet", "-ca", srv.ca, srv.url).check(t, exitFailed, "1.1.2: behavior FAILED")
	runCommand(t, "conform", "-cases", "1.1.1", "-quiet", "-H", "no field", s.url).check(t, exitUsage, "-H takes", "has examples")
	down := runCommand(t, "conform", "-cases", "1.1.2", "-quiet", "ws://localhost:1")
	down.check(t, exitUsage, "wss conform: no server accepts connections at ws://localhost:1: ", ":1: connect: ")
	if strings.Contains(down.errors, "has examples") {
		t.Errorf("the command line is right, and it says %q", down.errors)
	}
}

func TestConformServesCases(t *testing.T) {
	for _, plain := range []bool{true, false} {
		args := []string{"conform", "-listen", "localhost:0", "-cases", "2.1", "-once"}
		if plain {
			args = append(args, "-plain")
		}
		out, status := &output{}, make(chan int, 1)
		go func() { status <- run(t.Context(), args, &console{out: out, err: out}) }()
		url := ""
		for end := time.Now().Add(time.Minute); url == "" && time.Now().Before(end); time.Sleep(time.Millisecond) {
			url = regexp.MustCompile(`\bwss?://[^\s/]+`).FindString(out.String())
		}
		if strings.HasPrefix(url, "ws:") != plain {
			t.Fatalf("serves %q: %s", url, out)
		}
		o, err := (&dialFlags{timeout: time.Minute, maxMessage: 1 << 20, insecure: true}).options(&console{err: out}, url)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/runCase?casetuple=2.1&agent=me", "/updateReports?agent=me"} {
			c, _, err := conn.Dial(t.Context(), url+path, o)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Serve(context.Background(), echo)
		}
		if got := <-status; got != 0 || !strings.Contains(out.String(), "pass: all 1 cases") {
			t.Errorf("status %d: %s", got, out)
		}
	}
}
