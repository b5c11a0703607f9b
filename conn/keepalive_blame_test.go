package conn

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// frames reads what a server sends, frame by frame, until its stream ends.
func frames(r io.Reader, f func(op frame.Opcode, payload []byte)) {
	var head, buf []byte
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, one); err != nil {
			return
		}
		head = append(head, one[0])
		var h frame.Header
		n, err := h.Parse(head)
		if err != nil {
			return
		}
		if n == 0 {
			continue
		}
		buf = append(buf[:0], make([]byte, h.Length)...)
		if _, err := io.ReadFull(r, buf); err != nil {
			return
		}
		f(h.Opcode, buf)
		head = head[:0]
	}
}

// lasted reads from the server until it ends, and returns how and after what time.
func lasted(server *Conn) (time.Duration, error) {
	began := time.Now()
	for {
		if _, _, err := server.Read(bg); err != nil {
			return time.Since(began), err
		}
	}
}

// TestWhoDoesNotAnswerIsGivenUp, whatever else it sends: only the answer to our ping, or data, shows that
// the peer receives what is sent to it.
func TestWhoDoesNotAnswerIsGivenUp(t *testing.T) {
	unsolicited := binary.BigEndian.AppendUint64(nil, 1<<60)
	for _, tt := range []struct {
		name  string
		every time.Duration
		sends []byte
	}{
		{"nothing", time.Hour, nil},
		{"pings of its own, before ours", 29 * time.Second, masked(frame.Header{Fin: true, Opcode: frame.Ping}, "theirs")},
		{"pings of its own, often", time.Second, masked(frame.Header{Fin: true, Opcode: frame.Ping}, "")},
		{"pongs that nobody asked for", 3 * time.Second, masked(frame.Header{Fin: true, Opcode: frame.Pong}, string(unsolicited))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				peer, server := rawBubble()
				var wg sync.WaitGroup
				wg.Go(func() { frames(peer, func(frame.Opcode, []byte) {}) })
				wg.Go(func() {
					for {
						time.Sleep(tt.every)
						if _, err := peer.Write(tt.sends); err != nil || server.life.err() != nil {
							return
						}
					}
				})
				took, err := lasted(server)
				if want := DefaultPingInterval + DefaultPongTimeout; !errors.Is(err, ErrPingTimeout) || took < want || took > want+6*wheel.Tick {
					t.Errorf("%v after %v", err, took)
				}
				_ = peer.Close()
				wg.Wait()
			})
		})
	}
}

// TestWhoTakesWhatIsSentIsNotBlamed: the answer cannot come before what was sent before the ping has been taken.
func TestWhoTakesWhatIsSentIsNotBlamed(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		m := prepare(t, Binary, string(make([]byte, 900_000)))
		if err := server.Send(bg, m); err != nil {
			t.Fatal(err)
		}
		const slowly = 100 * time.Second
		stop := time.Now().Add(slowly)
		var wg sync.WaitGroup
		wg.Go(func() {
			buf := make([]byte, 8000)
			for time.Now().Before(stop) {
				time.Sleep(time.Second)
				if _, err := io.ReadFull(peer, buf); err != nil {
					return
				}
			}
		})
		took, err := lasted(server)
		wg.Wait()
		// From the stop on the peer takes nothing: one look may still find progress. What a pipe takes is
		// counted by the chunk, which lasts nine seconds here.
		least, most := slowly+DefaultPongTimeout-10*time.Second, slowly+DefaultPingInterval+3*DefaultPongTimeout
		if !errors.Is(err, ErrPingTimeout) || took < least || took > most {
			t.Errorf("%v after %v, want %v to %v", err, took, least, most)
		}
		_ = peer.Close()
	})
}

// TestANetworkThatComesBackIsForgiven: with data on the way, and a silence that is longer than both timeouts.
func TestANetworkThatComesBackIsForgiven(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		m := prepare(t, Binary, string(make([]byte, 900_000)))
		if err := server.Send(bg, m); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			// The stall begins when the socket is full, and ends one second before it is held
			// against the peer; then the peer takes all and answers.
			time.Sleep(DefaultPingInterval + DefaultPongTimeout - time.Second)
			frames(peer, func(op frame.Opcode, p []byte) {
				if op == frame.Ping {
					_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, string(p)))
				}
			})
		})
		ended := make(chan error, 1)
		go func() {
			_, err := lasted(server)
			ended <- err
		}()
		time.Sleep(10 * time.Minute)
		if err := server.life.err(); err != nil {
			t.Error(err)
		}
		_ = server.CloseNow()
		<-ended
		_ = peer.Close()
		wg.Wait()
	})
}

// TestUnansweredPingsDoNotPileUp: a peer that sends data and no pongs is pinged for ever.
func TestUnansweredPingsDoNotPileUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		var wg sync.WaitGroup
		var pinged atomic.Int32
		wg.Go(func() {
			frames(peer, func(op frame.Opcode, _ []byte) {
				if op == frame.Ping {
					pinged.Add(1)
					_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "alive"))
				}
			})
		})
		ended := make(chan struct{})
		go func() {
			_, _ = lasted(server)
			close(ended)
		}()
		ping, cancel := context.WithCancel(bg)
		waits := make(chan error, 1)
		go func() { // one of the user's waits as long as the user does
			_, err := server.Ping(ping)
			waits <- err
		}()
		time.Sleep(5 * time.Hour)
		server.pings.mu.Lock()
		waiting := len(server.pings.wait)
		server.pings.mu.Unlock()
		if waiting > 2 || pinged.Load() < 100 {
			t.Errorf("%d of %d pings wait for an answer", waiting, pinged.Load())
		}
		cancel()
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		_ = server.CloseNow()
		<-ended
		_ = peer.Close()
		wg.Wait()
	})
}

// TestAFramePartHeard: a frame that arrives byte by byte is an answer, whichever part of it arrives.
func TestAFramePartHeard(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		var wg sync.WaitGroup
		wg.Go(func() { frames(peer, func(frame.Opcode, []byte) {}) })
		got := make(chan []byte, 1)
		go func() {
			_, p, _ := server.Read(bg)
			got <- p
		}()
		message := bytes.Repeat([]byte("x"), 70_000)
		wire := masked(frame.Header{Fin: true, Opcode: frame.Binary}, string(message))
		for len(wire) > 0 && server.life.err() == nil {
			n := 1
			if len(wire) < 60_000 {
				n = 5000
			} else if len(wire) < 70_000 {
				n = 10_000
			}
			n = min(n, len(wire))
			_, _ = peer.Write(wire[:n])
			wire = wire[n:]
			time.Sleep(45 * time.Second)
		}
		if p := <-got; !bytes.Equal(p, message) {
			t.Errorf("%d bytes, %v", len(p), server.life.err())
		}
		_ = server.CloseNow()
		_ = peer.Close()
		wg.Wait()
	})
}

// TestWhoTakesDataButAnswersNoPingIsGivenUp, although there is always more under way: only what was sent before the ping excuses.
func TestWhoTakesDataButAnswersNoPingIsGivenUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		var wg sync.WaitGroup
		wg.Go(func() {
			buf := make([]byte, 4096)
			for { // it is slow, so that something is always under way, and never stops
				time.Sleep(10 * time.Millisecond)
				if _, err := peer.Read(buf); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			for server.Write(bg, Binary, make([]byte, 8000)) == nil {
			}
		})
		took, err := lasted(server)
		if least, most := DefaultPingInterval+DefaultPongTimeout, DefaultPingInterval+2*DefaultPongTimeout+time.Second; !errors.Is(err, ErrPingTimeout) || took < least || took > most {
			t.Errorf("%v after %v, want %v to %v", err, took, least, most)
		}
		_ = peer.Close()
		wg.Wait()
	})
}

// TestAMissingPongIsExcusedOnce for each reason that there is; then the peer is given up.
func TestAMissingPongIsExcusedOnce(t *testing.T) {
	const timeout = DefaultPongTimeout
	for _, tt := range []struct {
		name string
		end  int64 // bytes that the peer's host has to acknowledge; it has acknowledged none
		want []time.Duration
	}{
		{"the peer's host has the ping", 0, []time.Duration{2 * wheel.Tick, 0}},
		{"the network has the ping", 1 << 40, []time.Duration{timeout, 2 * wheel.Tick, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := newSettings(0, 0, 0, 0)
			set.wheel = new(wheel.Wheel) // that of others may have been suspended
			k := &keepalive{settings: &set}
			now := int64(1) // zero means that nobody waits
			k.waits.Store(now)
			k.probe = &probe{sent: now, since: now, end: tt.end}
			if do, wait := k.missing(now+int64(timeout)-1, fakeTraffic{}); do != noAction || wait != 1 {
				t.Errorf("a nanosecond before the timeout: action %d, look again after %v", do, wait)
			}
			for i, want := range tt.want {
				now += int64(timeout)
				do, wait := k.missing(now, fakeTraffic{})
				if wait != want || (do == endUnanswered) != (want == 0) {
					t.Errorf("look %d: action %d, look again after %v, want %v", i, do, wait, want)
				}
			}
		})
	}
}

// TestWhatTheKernelHoldsIsNotAcknowledged: a peer that does not read is not taken for one that has what was written.
func TestWhatTheKernelHoldsIsNotAcknowledged(t *testing.T) {
	peer, server := raw(t, "plain")
	if _, known := wire.Unacknowledged(transport.Socket(server.transport)); !known {
		t.Skip("the kernel does not tell")
	}
	fill(t, server)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // until the socket is full
		_, written := server.transport.Counts()
		n := transport.Acknowledged(server.transport)
		if n >= 0 && n < written {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d bytes", n, written)
		}
	}
	_ = peer.Close()
}
