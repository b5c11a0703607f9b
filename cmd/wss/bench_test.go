package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func TestBenchMeasuresAnEcho(t *testing.T) {
	srv := newEcho(t)
	for name, args := range map[string][]string{"in turn": nil, "at a rate": {"-rate", "200"}, "long messages": {"-size", "100000", "-compress"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r result
			n := 0
			for try := 0; try < 5 && (n < 400 || !strings.Contains(r.errors, "1 s: ")); try++ { // a machine that stops sends less, and says less
				r = runWith(t, nil, onTerminal, append([]string{"bench", "-ca", srv.ca, "-conns", "3", "-time", "1100ms", srv.url}, args...)...)
				_, line, _ := strings.Cut(r.out, "messages")
				_, _ = fmt.Sscan(line, &n)
				if name != "at a rate" {
					n = 400
				}
			}
			r.check(t, 0, "FOR YOUR OWN SERVERS ONLY", "latency   p50 ", "p99.9 ", "errors    none", "1 s: 3 connections, ")
			if strings.Contains(r.out, "messages  0 ") {
				t.Error("no messages")
			}
			if n < 400 || n > 663 {
				t.Errorf("%d messages, not some 660", n)
			}
		})
	}
}

func TestBenchCountsErrorsByCode(t *testing.T) {
	closing := newCloser(t, conn.StatusTryAgainLater, "")
	other := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), conn.Text, []byte("other")) })
	}, nil)
	refusing := newServer(t, &conn.AcceptOptions{Check: func(*http.Request) error { return &conn.HandshakeError{Status: 429} }}, nil, nil)
	for name, test := range map[string]struct{ url, ca, want string }{
		"closed":    {closing.url, closing.ca, "2 of 2 connections: closed with 1013 (peer)"},
		"no echo":   {other.url, other.ca, "2 of 2 connections: the server has sent something else than an echo"},
		"refused":   {refusing.url, refusing.ca, "2 of 2 connections: refused with status 429"},
		"no server": {"ws://localhost:1/", other.ca, "2 of 2 connections: dial: connect: "},
	} {
		for _, rate := range []string{"0", "50"} {
			t.Run(name+" at "+rate, func(t *testing.T) {
				runCommand(t, "bench", "-ca", test.ca, "-conns", "2", "-time", "200ms", "-rate", rate, test.url).check(t, exitFailed, test.want)
			})
		}
	}
}

func TestQuantilesAreExactToAPart(t *testing.T) {
	h := &histogram{}
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram")
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for part, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.9: 900 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(part); got < want || got > want+want/60 {
			t.Errorf("%v: %v, want %v", part, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 1, 127, 128, 129, 255, 256, 1e6, 1e9, 1 << 62, 1<<63 - 1} {
		i := bucket(d)
		if end := bucketEnd(i); end < d || i > 0 && bucketEnd(i-1) >= max(d, 0) && d >= 0 {
			t.Errorf("%d is in bucket %d, which ends at %d", d, i, end)
		}
	}
}

func TestRounding(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 999: "999ns", 1234: "1.23µs", 123456: "123µs", 1234567: "1.23ms", 1999999999: "2s"} {
		if got := round(d).String(); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
