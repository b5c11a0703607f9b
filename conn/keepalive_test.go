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
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// keptAlive returns a server with default keepalive over a pipe in a bubble.
func keptAlive(change ...func(*settings)) (*pipe.End, *Conn) {
	set := newSettings(0, 0, 0, 0)
	set.wheel = new(wheel.Wheel) // of the bubble's time
	for _, f := range change {
		f(&set)
	}
	a, b := pipe.New(1 << 12)
	return a, newConn(transport.New(b), frame.Server, "", set, nil, nil)
}

func TestSilenceIsProbedAndThenGivenUp(t *testing.T) {
	for _, how := range []string{"Read", "Serve", "Go"} {
		t.Run(how, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { silence(t, how) }) })
	}
}

func silence(t *testing.T, how string) {
	peer, server := keptAlive()
	began := time.Now()
	ended := make(chan error, 1)
	switch how {
	case "Read":
		go func() {
			_, _, err := server.Read(bg)
			ended <- err
		}()
	case "Serve": // which looks up every two seconds
		go func() { ended <- server.Serve(bg, echoBack) }()
	case "Go":
		server.ServeInBackground(echoBack, func(err error) { ended <- err })
	}
	h, _ := readFrame(t, peer)
	if probed := time.Since(began); h.Opcode != frame.Ping || probed < DefaultPingInterval || probed > DefaultPingInterval+3*wheel.Tick {
		t.Errorf("%v after %v", h.Opcode, probed)
	}
	err := <-ended
	took := time.Since(began)
	if want := DefaultPingInterval + DefaultPongTimeout; !errors.Is(err, ErrPingTimeout) || took < want || took > want+6*wheel.Tick {
		t.Errorf("%v after %v", err, took)
	}
	if CloseStatus(err) != StatusAbnormal {
		t.Errorf("status %v", CloseStatus(err))
	}
	_ = peer.Close()
}

func TestAnswersAndTrafficKeepAConnection(t *testing.T) {
	for _, how := range []string{"pong", "messages"} {
		synctest.Test(t, func(t *testing.T) {
			peer, server := keptAlive()
			served := echo(server)
			pings := 0
			for range 100 {
				if how == "messages" {
					time.Sleep(20 * time.Second)
					_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x"))
					if h, _ := readFrame(t, peer); h.Opcode != frame.Text {
						t.Fatal(h.Opcode)
					}
					continue
				}
				h, p := readFrame(t, peer)
				if h.Opcode != frame.Ping {
					t.Fatal(h.Opcode)
				}
				pings++
				time.Sleep(time.Second)
				_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, p))
			}
			if how == "pong" && (pings != 100 || server.Stats().RoundTrip != time.Second) {
				t.Errorf("%d pings, round trip %v", pings, server.Stats().RoundTrip)
			}
			_ = server.CloseNow()
			<-served
			_ = peer.Close()
		})
	}
}

// TestNobodyIsBlamedWhileNobodyReads: the answer may be there, unread.
func TestNobodyIsBlamedWhileNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, server := keptAlive()
		h, p := readFrame(t, peer)
		if h.Opcode != frame.Ping {
			t.Fatal(h.Opcode)
		}
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, p))
		time.Sleep(time.Hour)
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "late"))
		if _, p, err := server.Read(bg); string(p) != "late" || err != nil {
			t.Errorf("%q, %v", p, err)
		}
		_ = server.CloseNow()
		_ = peer.Close()
	})
}

func TestAPeerThatTakesNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, server := keptAlive()
		began := time.Now()
		err := server.Write(bg, Binary, make([]byte, 1<<20)) // no deadline of its own
		took := time.Since(began)
		if !errors.Is(err, ErrPingTimeout) || took < DefaultPingInterval || took > 3*(DefaultPingInterval+DefaultPongTimeout) {
			t.Errorf("%v after %v", err, took)
		}
		_ = peer.Close()
	})
}

func TestKeepaliveCanBeSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, server := keptAlive(func(s *settings) { s.pingInterval = newSettings(0, 0, -1, 0).pingInterval })
		served := echo(server)
		time.Sleep(100 * DefaultPingInterval)
		if n := peer.Buffered(); n != 0 || server.life.err() != nil || server.Stats().WireOut != 0 {
			t.Errorf("%d bytes, %v", n, server.life.err())
		}
		_ = server.CloseNow()
		<-served
		_ = peer.Close()
	})
}

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
					server.ServeInBackground(echoBack, func(err error) { ended <- err })
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
		// Half of one has arrived, and no read asks for the rest.
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
