package conn

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// TestAMessageThatArrivesTooSlowlyEndsTheConnection, byte by byte in one frame, in many
// fragments, or not going on at all; the peer is told 1008.
func TestAMessageThatArrivesTooSlowlyEndsTheConnection(t *testing.T) {
	whole := masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("x", 3000))
	var pieces []byte
	for range 500 {
		pieces = append(pieces, masked(frame.Header{Opcode: frame.Continuation}, "")...)
	}
	for _, tt := range []struct {
		name  string
		input []byte
		step  int
		every time.Duration
	}{
		// Never at a tick: the peer gets a window more when a look finds its reader at work.
		{"a byte at a time", whole, 1, 97 * time.Millisecond},
		{"a header that stalls", whole[:3], 3, time.Second},
		{"a payload that stalls", whole[:2000], 2000, time.Second},
		{"empty fragments", append(masked(frame.Header{Opcode: frame.Text}, ""), pieces...), 6, 487 * time.Millisecond},
	} {
		for _, serve := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				peer, server := keptAlive(func(s *settings) { *s = s.pacing(100) })
				began := time.Now()
				ended := make(chan error, 1)
				if serve {
					server.Go(echoBack, func(err error) { ended <- err })
				} else {
					go func() {
						_, _, err := server.Read(bg)
						ended <- err
					}()
				}
				var writer sync.WaitGroup
				defer writer.Wait()
				writer.Go(func() {
					for input := tt.input; len(input) > 0; input = input[min(tt.step, len(input)):] {
						if _, err := peer.Write(input[:min(tt.step, len(input))]); err != nil {
							return
						}
						time.Sleep(tt.every)
					}
				})
				if h, p := readFrame(t, peer); h.Opcode != frame.Close || p[:2] != "\x03\xf0" {
					t.Errorf("%s: %v %q", tt.name, h.Opcode, p)
				}
				if took := time.Since(began); took < rateWindow-wheel.Tick || took > 3*(rateWindow+wheel.Tick) {
					t.Errorf("%s: after %v", tt.name, took)
				}
				_ = peer.Close()
				err := <-ended
				e, ok := errors.AsType[*CloseError](err)
				if !ok || e.Code != StatusPolicyViolation || e.Token() != "too_slow" || !errors.Is(err, ErrTooSlow) {
					t.Errorf("%s: %v", tt.name, err)
				}
			})
		}
	}
}

// TestSlownessThatIsNobodysFaultIsAllowed: silence between messages, a reader that does not
// read, and messages that come just fast enough.
func TestSlownessThatIsNobodysFaultIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, server := keptAlive(func(s *settings) { *s = s.pacing(100); s.pingInterval = 0 })
		long := masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("x", 3000))
		for range 3 {
			go func() {
				time.Sleep(time.Minute)
				for p := long; len(p) > 0; p = p[min(120, len(p)):] {
					_, _ = peer.Write(p[:min(120, len(p))])
					time.Sleep(time.Second)
				}
			}()
			if _, p, err := server.Read(bg); len(p) != 3000 || err != nil {
				t.Fatal(len(p), err)
			}
		}
		// Half of one is here, and nobody asks for the rest.
		_, _ = peer.Write(long[:1500])
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		if _, _, err := server.Read(ctx); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		go func() { _, _ = peer.Write(long[1500:]) }()
		if _, p, err := server.Read(bg); len(p) != 3000 || err != nil {
			t.Fatal(len(p), err)
		}
		_ = server.CloseNow()
		_ = peer.Close()
	})
}
