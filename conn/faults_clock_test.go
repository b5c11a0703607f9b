package conn

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// inTime runs f where time is ours, and fails if f leaves a place on the wheel or a
// buffer behind. What else is left, a goroutine or a timer, the bubble itself finds.
func inTime(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	bufpool.Track(true)
	defer bufpool.Track(false)
	inBubble(t, func(t *testing.T) {
		f(t)
		synctest.Wait()
		if n := keepalives.Len(); n != 0 {
			t.Errorf("%d places on the wheel are left", n)
		}
	})
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers not returned:\n%s", n, bufpool.Holders())
	}
}

// rawBubble returns a server in the bubble, and the bytes of its peer.
func rawBubble() (*pipe.End, *Conn) {
	a, b := pipeEnds()
	return a, newConn(transport.New(b), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
}

// pipeEnds are a narrow connection in memory.
func pipeEnds() (a, b *pipe.End) { return pipe.New(1 << 12) }

// pongs answers pings as a peer does, until the stream ends.
func pongs(t *testing.T, peer *pipe.End) {
	var buf [64]byte
	for {
		n, err := peer.Read(buf[:2])
		if err != nil {
			return
		}
		if n != 2 || buf[0] != 0x80|byte(frame.Ping) {
			return // the close frame
		}
		size := int(buf[1])
		for got := 0; got < size; {
			n, err := peer.Read(buf[got:size])
			if err != nil {
				return
			}
			got += n
		}
		if _, err := peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, string(buf[:size]))); err != nil {
			t.Error(err)
		}
	}
}

// TestHoursPassBetweenMessages: keepalive holds an idle connection, of which each side
// answers the other, for as long as anybody likes.
func TestHoursPassBetweenMessages(t *testing.T) {
	inTime(t, func(t *testing.T) {
		client, server := piped(t, nil)
		served := echo(server)
		for range 3 {
			got := make(chan error, 1)
			go func() {
				_, p, err := client.Read(bg)
				if err == nil && string(p) != "late" {
					err = errors.New(string(p))
				}
				got <- err
			}()
			time.Sleep(30 * time.Minute)
			if err := errors.Join(client.life.err(), server.life.err()); err != nil {
				t.Fatal(err)
			}
			if err := client.Write(bg, Text, []byte("late")); err != nil {
				t.Fatal(err)
			}
			if err := <-got; err != nil {
				t.Fatal(err)
			}
		}
		least, most := int64(90*time.Minute/DefaultPingInterval)/2, 2*int64(90*time.Minute/DefaultPingInterval)+10
		if n := client.Stats().ControlOut; n < least || n > most {
			t.Errorf("%d control frames in 90 minutes", n)
		}
		if err := errors.Join(client.Close(StatusNormalClosure, ""), <-served); err != nil {
			t.Error(err)
		}
	})
}

// TestHoursPassInsideAMessage: within a header, a payload, between fragments. A peer that
// answers pings may take its time; one that does not is given up.
func TestHoursPassInsideAMessage(t *testing.T) {
	text := strings.Repeat("half of it ", 100)
	whole := append(masked(frame.Header{Opcode: frame.Text}, text), masked(frame.Header{Fin: true, Opcode: frame.Continuation}, text)...)
	for _, part := range []int{1, 3, 7, 600, len(whole) / 2, len(whole)/2 + 1, len(whole) - 1} {
		for _, answers := range []bool{true, false} {
			inTime(t, func(t *testing.T) {
				peer, server := rawBubble()
				got, ended := "", make(chan error, 1)
				go func() {
					_, p, err := server.Read(bg)
					got = string(p)
					ended <- err
				}()
				_, _ = peer.Write(whole[:part])
				between := part == len(whole)/2 // a pong may stand between two frames only
				switch {
				case answers && between:
					go pongs(t, peer)
					time.Sleep(time.Hour)
				case answers: // a byte now and then is an answer, too
					go io.Copy(io.Discard, peer)
					for n := 0; n < 60 && part < len(whole)-1; n++ {
						time.Sleep(40 * time.Second)
						_, _ = peer.Write(whole[part : part+1])
						part++
					}
				default:
					began := time.Now()
					err := <-ended
					if took := time.Since(began); !errors.Is(err, ErrPingTimeout) || CloseStatus(err) != StatusAbnormal || took > time.Minute {
						t.Errorf("after %d bytes: %v after %v", part, err, took)
					}
					_ = peer.Close()
					return
				}
				_, _ = peer.Write(whole[part:])
				if err := <-ended; err != nil || got != text+text {
					t.Errorf("after %d bytes: %d bytes, %v", part, len(got), err)
				}
				_ = server.CloseNow()
				_ = peer.Close()
			})
		}
	}
}

// TestHoursPassWhileACloseIsPending: the close ends when its time is over, not when
// somebody looks, whether nobody reads, a Read does, or Serve (RFC 6455 §7.1.1 leaves
// the time to us).
func TestHoursPassWhileACloseIsPending(t *testing.T) {
	for _, reader := range []string{"nobody", "Read", "Serve", "Go"} {
		inTime(t, func(t *testing.T) {
			peer, server := rawBubble()
			ended := make(chan error, 1)
			switch reader {
			case "nobody":
				ended <- nil
			case "Read":
				go func() {
					_, _, err := server.Read(bg)
					ended <- err
				}()
			case "Serve":
				go func() { ended <- server.Serve(bg, echoBack) }()
			case "Go":
				server.ServeInBackground(echoBack, func(err error) { ended <- err })
			}
			time.Sleep(3 * time.Second) // Serve's goroutine may have been exchanged
			_, _ = peer.Write([]byte{0x82})
			began := time.Now()
			closed := make(chan error, 1)
			go func() { closed <- server.Close(StatusGoingAway, "") }()
			<-server.Context().Done()
			why := context.Cause(server.Context())
			if took := time.Since(began); took < DefaultCloseTimeout || took > DefaultCloseTimeout+lingerTimeout+4*wheel.Tick || !errors.Is(why, ErrCloseTimeout) {
				t.Errorf("%s: %v after %v", reader, why, took)
			}
			time.Sleep(10 * time.Hour)
			<-closed
			<-ended
			_ = peer.Close()
		})
	}
}

// TestHoursPassWhileAPeerTakesNothing: what waits for it ends with the connection.
func TestHoursPassWhileAPeerTakesNothing(t *testing.T) {
	inTime(t, func(t *testing.T) {
		peer, server := rawBubble()
		m := prepare(t, Binary, strings.Repeat("x", 100_000))
		if err := server.Send(bg, m, m, m); err != nil {
			t.Fatal(err)
		}
		reading := server.CloseRead(bg)
		time.Sleep(12 * time.Hour)
		<-reading.Done()
		if err := server.Send(bg, m); !errors.Is(err, ErrPingTimeout) || CloseStatus(err) != StatusAbnormal {
			t.Errorf("got %v", err)
		}
		_ = peer.Close()
	})
}
