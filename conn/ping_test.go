package conn

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

func TestPingMeasuresTheRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, server := keptAlive()
		served := echo(server)
		measured := make(chan time.Duration, 2)
		for range 2 {
			go func() {
				rtt, err := server.Ping(bg)
				if err != nil {
					t.Error(err)
				}
				measured <- rtt
			}()
			synctest.Wait()
		}
		readFrame(t, peer)
		_, second := readFrame(t, peer)
		time.Sleep(3 * time.Second)
		// The latest answer serves for both (RFC 6455 §5.5.3).
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, second))
		for range 2 {
			if rtt := <-measured; rtt != 3*time.Second {
				t.Errorf("round trip %v", rtt)
			}
		}
		if rtt := server.Stats().RoundTrip; rtt != 3*time.Second {
			t.Errorf("statistics say %v", rtt)
		}
		_ = server.CloseNow()
		<-served
		_ = peer.Close()
	})
}

func TestPingEndsWithItsContextAndWithTheConnection(t *testing.T) {
	_, server := raw(t, "tls")
	served := echo(server)
	if _, err := server.Ping(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := server.Ping(bg); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
	for server.Stats().WireOut == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = server.CloseNow()
	wg.Wait()
	<-served
	if _, err := server.Ping(bg); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if len(server.pings.wait) != 0 {
		t.Error("pings are still waited for")
	}
}

// TestUnsolicitedAndForeignPongsAreIgnored (RFC 6455 §5.5.3).
func TestUnsolicitedAndForeignPongsAreIgnored(t *testing.T) {
	peer, server := raw(t, "tls")
	go func() {
		for _, p := range []string{"", "x", "12345678", "\x00\x00\x00\x00\x00\x00\x00\x01", "\xff\xff\xff\xff\xff\xff\xff\xff"} {
			for range 2000 {
				_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, p))
			}
		}
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "then"))
	}()
	if _, p, err := server.Read(bg); string(p) != "then" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if n := server.Stats().ControlIn; n != 10_000 {
		t.Errorf("%d control frames", n)
	}
}
