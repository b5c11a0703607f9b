package conn

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

func echoBack(c *Conn, m Message) error { return c.Write(bg, m.Type, m.Data) }

// stacks counts the goroutines that are in a function.
func stacks(of string) int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), of)
}

func awaitStacks(of string, n int) {
	for stacks(of) != n {
		time.Sleep(time.Millisecond)
	}
}

// park has the connection exchange its goroutine, as Tick does after two seconds of silence, when it has received what
// its peer has sent: with more to come the exchanged goroutine would go back to work.
func park(c, peer *Conn) {
	for c.Stats().WireIn < peer.Stats().WireOut || !c.liv.mayPark.Load() || c.liv.listen.Load() == 0 {
		runtime.Gosched()
	}
	c.liv.mayPark.Store(false)
	c.liv.parking.Store(true)
	_ = c.t.SetReadDeadline(past)
}

// TestGoServesAcrossGoroutines: whole messages, long ones and halves, before and after
// the goroutine was exchanged.
func TestGoServesAcrossGoroutines(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind)
			ended := make(chan error, 1)
			server.Go(echoBack, func(err error) { ended <- err })
			for i, size := range []int{0, 5, 70_000, 300_000, 5} {
				if i > 0 {
					park(server, client)
					awaitStacks("conn.(*service).wait(", 1)
				}
				w, err := client.Writer(bg, Binary)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = w.Write(make([]byte, size/2))
				_ = w.Flush()
				if size > 0 {
					park(server, client)
					awaitStacks("conn.(*service).wait(", 1)
				}
				_, _ = w.Write(make([]byte, size-size/2))
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if _, p, err := client.Read(bg); err != nil || len(p) != size {
					t.Fatalf("%d bytes, %v", len(p), err)
				}
			}
			park(server, client)
			if err := client.Close(StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAnIdleGoroutineIsExchanged after a while, and keepalive goes on all the same.
func TestAnIdleGoroutineIsExchanged(t *testing.T) {
	for _, pings := range []time.Duration{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			peer, b := pipe.New(1 << 16)
			set := newSettings(0, 0, pings, 0)
			set.wheel = new(wheel.Wheel)
			server := newConn(transport.New(b), frame.Server, "", set, nil, nil)
			ended := make(chan error, 1)
			server.Go(echoBack, func(err error) { ended <- err })
			for range 3 {
				time.Sleep(parkAfter / 2)
				synctest.Wait()
				if n := stacks("conn.(*service).wait("); n != 0 {
					t.Errorf("exchanged too early")
				}
				time.Sleep(parkAfter/2 + 300*time.Millisecond) // three ticks of the wheel
				synctest.Wait()
				if n := stacks("conn.(*service).wait("); n != 1 {
					t.Fatalf("%d goroutines wait in shallow frames", n)
				}
				if _, err := peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "hello")); err != nil {
					t.Fatal(err)
				}
				if _, p := readFrame(t, peer); p != "hello" {
					t.Fatalf("%q", p)
				}
			}
			if pings == 0 { // the peer falls silent
				go func() { _, _ = io.Copy(io.Discard, peer) }()
				if err := <-ended; !errors.Is(err, ErrPingTimeout) {
					t.Errorf("got %v", err)
				}
			} else {
				time.Sleep(time.Hour)
				_ = server.CloseNow()
				if err := <-ended; CloseStatus(err) != StatusAbnormal {
					t.Errorf("got %v", err)
				}
			}
			_ = peer.Close()
		})
	}
}

// TestGoLetsTheHandlerReturn, and says how it ended.
func TestGoLetsTheHandlerReturn(t *testing.T) {
	var handlers atomic.Int32
	ended := make(chan error, 1)
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Add(-1)
		c, err := Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c.Go(func(c *Conn, m Message) error {
			if string(m.Data) == "end" {
				return &CloseError{Code: 4242, Reason: "as you say"}
			}
			return echoBack(c, m)
		}, func(err error) { ended <- err })
	}), true, true)
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	for handlers.Load() > 0 {
		runtime.Gosched()
	}
	if err := c.Write(bg, Text, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := c.Read(bg); err != nil || string(p) != "still here" {
		t.Fatalf("%q, %v", p, err)
	}
	_ = c.Write(bg, Text, []byte("end"))
	if _, _, err := c.Read(bg); CloseStatus(err) != 4242 {
		t.Errorf("the client sees %v", err)
	}
	if err := <-ended; CloseStatus(err) != 4242 {
		t.Errorf("the server sees %v", err)
	}
}

// TestGoOnAConnectionThatHasEnded says so at once; without a callback nobody is told.
func TestGoOnAConnectionThatHasEnded(t *testing.T) {
	_, server := pair(t, "plain")
	_ = server.CloseNow()
	ended := make(chan error, 1)
	server.Go(echoBack, func(err error) { ended <- err })
	if err := <-ended; CloseStatus(err) != StatusAbnormal {
		t.Errorf("got %v", err)
	}
	server.Go(echoBack, nil)
}

// TestAPanicInServeClosesTheConnection and gives everything back.
func TestAPanicInServeClosesTheConnection(t *testing.T) {
	client, server := pair(t, "tls")
	go func() { _ = client.Write(bg, Text, []byte("x")) }()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = server.Serve(bg, func(*Conn, Message) error { panic("a mistake") })
	}()
	if _, _, err := client.Read(bg); CloseStatus(err) != StatusAbnormal {
		t.Errorf("the client sees %v", err)
	}
}
