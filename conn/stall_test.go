package conn

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// TestAPeerThatTakesNothingIsGivenUpInTime, whoever waits for it, with pings or without: from the moment at which the socket is
// full.
func TestAPeerThatTakesNothingIsGivenUpInTime(t *testing.T) {
	for _, pings := range []time.Duration{0, -1} {
		for _, how := range []string{"Write", "Write with a reader", "Send", "Writer", "Serve"} {
			t.Run(how, func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					set := newSettings(0, 0, pings, 0)
					a, b := pipeEnds()
					server := newConn(transport.New(b), frame.Server, "", set, nil, nil)
					time.Sleep(25 * time.Second) // the looks of keepalive do not begin with the stall
					began := time.Now()
					big := make([]byte, 200_000)
					switch how {
					case "Write with a reader":
						go func() { _, _ = lasted(server) }()
						fallthrough
					case "Write":
						_ = server.Write(bg, Binary, big)
					case "Writer":
						w, err := server.Writer(bg, Binary)
						if err != nil {
							t.Fatal(err)
						}
						_, _ = w.Write(big)
						_ = w.Close()
					case "Send":
						if err := server.Send(bg, prepare(t, Binary, string(big))); err != nil {
							t.Fatal(err)
						}
					case "Serve":
						go func() { _ = server.Serve(bg, echoBack) }()
						_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Binary}, string(big)))
					}
					<-server.Context().Done()
					took, why := time.Since(began), context.Cause(server.Context())
					least, most := DefaultPingInterval+DefaultPongTimeout-4*wheel.Tick, DefaultPingInterval+DefaultPongTimeout+4*wheel.Tick
					if pings == 0 && (how == "Write with a reader" || how == "Serve") {
						least = 0 // a ping may have been missed for longer
					}
					if !errors.Is(why, ErrPingTimeout) || took < least || took > most {
						t.Errorf("pings %v: %v after %v, want %v to %v", pings, why, took, least, most)
					}
					_ = a.Close()
				})
			})
		}
	}
}
