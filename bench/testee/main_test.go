package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/conn"
)

// TestEveryLibraryEchoes what this library's client sends, over ws and wss.
func TestEveryLibraryEchoes(t *testing.T) {
	for _, lib := range libs.All() {
		if lib.Kind == libs.Baseline {
			continue
		}
		for _, flags := range [][]string{{"-compress"}, {"-tls"}} {
			if lib.Plain && flags[0] == "-tls" {
				continue
			}
			t.Run(lib.Name+flags[0], func(t *testing.T) {
				url, stop := started(t, append([]string{"server", "-lib", lib.Name, "-listen", "127.0.0.1:0"}, flags...))
				defer stop()
				c, _, err := conn.Dial(t.Context(), url, &conn.DialOptions{
					TLS:         &tls.Config{InsecureSkipVerify: true},
					Compression: conn.Compression{Mode: conn.CompressionTakeover},
					Header:      map[string][]string{"Origin": {strings.Replace(url, "ws", "http", 1)}},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				for _, want := range []string{"", "binary", strings.Repeat("long ", 200_000)} {
					if err := c.Write(t.Context(), conn.Binary, []byte(want)); err != nil {
						t.Fatal(err)
					}
					if typ, got, err := c.Read(t.Context()); typ != conn.Binary || string(got) != want || err != nil {
						t.Fatalf("%v message of %d bytes for %d, %v", typ, len(got), len(want), err)
					}
				}
			})
		}
	}
}

// started runs the command until stop is called, and returns its URL.
func started(t *testing.T, args []string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, w)
		_ = w.CloseWithError(io.ErrUnexpectedEOF)
		done <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening ")), func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	for _, args := range [][]string{
		nil, {"client"}, {"server", "-lib", "none"}, {"server", "-lib", "tls"}, {"server", "-lib", "http"},
		{"server", "-listen", "nowhere:1:1"}, {"server", "-unknown"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

// TestOursPassTheSuiteAsTheyAreMeasured: no figure is bought with correctness.
func TestOursPassTheSuiteAsTheyAreMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the conformance suite against each of our servers")
	}
	cases := []string{
		"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.6", "9.2.1", "9.3.4", "9.5.6", "9.7.2", "10.*", "12.1.2", "13.3.3", "13.5.4",
	}
	for _, lib := range libs.All() {
		if lib.Kind != libs.Ours {
			continue
		}
		t.Run(lib.Name, func(t *testing.T) {
			t.Parallel()
			url, stop := started(t, []string{"server", "-lib", lib.Name, "-listen", "127.0.0.1:0", "-compress", "-tls"})
			defer stop()
			options := suite.Options{URL: url, TLS: &tls.Config{InsecureSkipVerify: true}, Cases: cases, Slowness: 3}
			rep, err := suite.Run(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, p := range rep.Problems(nil) {
				failed = append(failed, p.ID)
			}
			if failed == nil {
				return
			}
			// What failed has another chance, by itself: the machine may have been busy.
			options.Cases, options.Parallel = failed, 1
			if rep, err = suite.Run(t.Context(), options); err != nil || !rep.Passes() {
				rep.WriteTable(t.Output())
				t.Error("not all pass", err)
			}
		})
	}
}
