package suite

import (
	"crypto/tls"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestFaultsAreCaughtByTheCasesAboutEnds shows group 27 able to fail, and nothing in it that fails without a fault.
func TestFaultsAreCaughtByTheCasesAboutEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for ends that do not come")
	}
	torn := func(numbers string) (ids []string) {
		for _, prefix := range []string{"27.1.", "27.2."} {
			for _, n := range numbers {
				ids = append(ids, prefix+string(n))
			}
		}
		return ids
	}
	clean := []string{"27.3.1", "27.3.2"}
	for f, want := range map[faulty.Fault]struct{ server, client []string }{
		faulty.None:            {},
		faulty.IgnoresEnd:      {torn("123456"), torn("123456")},
		faulty.EndsMessages:    {torn("34"), torn("34")},
		faulty.Aborts:          {clean, []string{"27.3.4"}},
		faulty.AddsMessage:     {append(torn("7"), "27.3.1", "27.3.3"), []string{"27.3.3", "27.3.4"}},
		faulty.EndsFirst:       {client: []string{"27.3.4"}},
		faulty.EchoesFragments: {torn("4"), torn("4")},
		faulty.NoCloseFrame:    {append(torn("7"), "27.3.1", "27.3.3"), append(torn("7"), "27.3.3", "27.3.4")},
		faulty.StaysConnected:  {server: append(clean, "27.3.3")},
	} {
		slowness := 1.5 // a busy machine may need it
		if f == faulty.IgnoresEnd {
			slowness = 1 // that is for a bounded time
		}
		for _, secure := range []bool{false, true} {
			name := map[bool]string{false: "ws, ", true: "wss, "}[secure] + string(f)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				config, trust := testtls.Configs(tls.VersionTLS13)
				if !secure {
					config = nil
				}
				got := caughtBy(t, Options{URL: faultyServer(t, f, config), TLS: trust, Cases: []string{"27.*"}, Slowness: slowness}, want.server)
				if !slices.Equal(got, want.server) {
					t.Errorf("of a server caught by %q, want %q", got, want.server)
				}
			})
		}
		t.Run("client, "+string(f), func(t *testing.T) {
			t.Parallel()
			run := func(ids []string, slowness float64, parallel int) []string {
				s, base := fuzzingServer(t, ServerOptions{Cases: ids, Slowness: slowness})
				return faultyClient(t, f, s, base, parallel)
			}
			got := run([]string{"27.*"}, slowness, 32)
			got = retried(t, want.client, got, func(ids []string) []string { return run(ids, 3, 4) })
			if !slices.Equal(got, want.client) {
				t.Errorf("of a client caught by %q, want %q", got, want.client)
			}
		})
	}
}

// TestTheEndOfTLSIsToldFromThatOfTCP on the connections that the suite opens.
func TestTheEndOfTLSIsToldFromThatOfTCP(t *testing.T) {
	config, trust := testtls.Configs(tls.VersionTLS13)
	for name, end := range map[string]func(*tls.Conn) error{
		"EOF":                (*tls.Conn).Close,
		errTruncated.Error(): func(c *tls.Conn) error { return c.NetConn().Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			ended := make(chan error, 1)
			go func() {
				conn, err := ln.Accept()
				if err == nil {
					secured := conn.(*tls.Conn)
					if err = secured.Handshake(); err == nil {
						err = end(secured)
					}
				}
				ended <- err
			}()
			conn, err := connect(t.Context(), &url.URL{Scheme: "wss", Host: ln.Addr().String()}, trust)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("reading ends with %v", err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
