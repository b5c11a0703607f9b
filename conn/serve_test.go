package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// TestServeGathersReplies: what answers one batch of input leaves in one write.
func TestServeGathersReplies(t *testing.T) {
	synctest.Test(t, gathersReplies) // in which the cork timer does not fire
}

func gathersReplies(t *testing.T) {
	a, b := pipe.New(1 << 20)
	nc := &writeCounter{Conn: b}
	server := newConn(transport.New(nc), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
	defer server.CloseNow()
	var batch []byte
	for i := range 500 {
		batch = append(batch, masked(frame.Header{Fin: true, Opcode: frame.Text}, fmt.Sprint("message ", i))...)
		if i%100 == 50 {
			batch = append(batch, masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p")...)
		}
	}
	_, _ = a.Write(batch)
	served := echo(server)
	pongs := 0
	for i := range 505 {
		h, p := readFrame(t, a)
		if h.Opcode == frame.Pong {
			pongs++
		} else if want := fmt.Sprint("message ", i-pongs); p != want {
			t.Fatalf("reply %d: %q, want %q", i, p, want)
		}
	}
	// The pipe is read 4 KiB at a time; a reply each would make 505 writes.
	if n := nc.writes.Load(); pongs != 5 || n > 12 {
		t.Errorf("%d pongs, %d writes", pongs, n)
	}
	_ = a.Close()
	if err := <-served; CloseStatus(err) != StatusAbnormal {
		t.Error(err)
	}
}

// TestARepliesLeavesAlthoughTheCallbackStays: the safety net of corking.
func TestAReplyLeavesAlthoughTheCallbackStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 20)
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(bg, func(c *Conn, m Message) error {
				err := c.Write(bg, Text, []byte("at once"))
				time.Sleep(time.Hour)
				return err
			})
		}()
		for range 3 {
			began := time.Now()
			_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x"))
			if _, p := readFrame(t, a); p != "at once" || time.Since(began) > 2*corkLimit {
				t.Errorf("%q after %v", p, time.Since(began))
			}
			time.Sleep(2 * time.Hour)
		}
		_ = a.Close()
		<-served
	})
}

// TestWhatIsBufferedIsSentAlthoughALaterCallbackStays: a reply to a message before it, and the answer to a ping.
func TestWhatIsBufferedIsSentAlthoughALaterCallbackStays(t *testing.T) {
	message := string(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x"))
	ping := string(masked(frame.Header{Fin: true, Opcode: frame.Ping}, "?"))
	for _, tt := range []struct {
		name, input, want string
	}{
		{"a reply", message + message, "reply"},
		{"a pong", ping + message + message, "?"},
		{"a pong, and nothing more to read", ping + message, "?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 20)
				server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
				served := make(chan error, 1)
				messages := 0
				go func() {
					served <- server.Serve(bg, func(c *Conn, m Message) error {
						if messages++; messages < strings.Count(tt.input, message) {
							return c.Write(bg, Text, []byte("reply"))
						}
						time.Sleep(time.Hour)
						return nil
					})
				}()
				began := time.Now()
				_, _ = io.WriteString(a, tt.input)
				if _, p := readFrame(t, a); p != tt.want || time.Since(began) > 2*corkLimit {
					t.Errorf("%q after %v", p, time.Since(began))
				}
				_ = a.Close()
				<-served
			})
		})
	}
}

// TestWritesAreSentWhateverServeIsDoing: other goroutines write all the time while Serve handles bursts and falls silent.
func TestWritesAreSentWhateverServeIsDoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 20)
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		served := make(chan error, 1)
		go func() { served <- server.Serve(bg, func(*Conn, Message) error { runtime.Gosched(); return nil }) }()
		burst := strings.Repeat(string(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x")), 5)
		for range 2000 {
			go io.WriteString(a, burst)
			go server.Write(bg, Text, []byte("meanwhile"))
			began := time.Now()
			if _, p := readFrame(t, a); p != "meanwhile" || time.Since(began) > 2*corkLimit {
				t.Fatalf("%q after %v", p, time.Since(began))
			}
		}
		_ = a.Close()
		<-served
	})
}

func TestServeEndsAsItsContextEndsAndMayGoOn(t *testing.T) {
	client, server := pair(t, "tls")
	for i := range 3 {
		ctx, cancel := context.WithCancel(bg)
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(ctx, func(c *Conn, m Message) error { return c.Write(ctx, m.Type, m.Data) })
		}()
		if err := client.Write(bg, Text, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if _, p, err := client.Read(bg); string(p) != fmt.Sprint(i) || err != nil {
			t.Fatalf("%q, %v", p, err)
		}
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	go func() { _, _, _ = server.Read(bg) }()
	if err := client.Close(StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// TestServeIsCancelledInsideAMessage, and Read returns it whole, in memory of its
// own; then Serve again.
func TestServeIsCancelledInsideAMessage(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		msg := masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("m", 40_000))
		never := func(*Conn, Message) error { return errors.New("called too early") }
		_, _ = peer.Write(msg[:30_000])
		if err := server.Serve(soon(t), never); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		_, _ = peer.Write(msg[30_000:])
		_, p, err := server.Read(bg)
		if len(p) != 40_000 || err != nil {
			t.Fatalf("%s: %d bytes, %v", kind, len(p), err)
		}
		_, _ = peer.Write(msg[:30_000])
		if _, _, err := server.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		_, _ = peer.Write(msg[30_000:])
		_, _ = peer.Write(msg)
		n := 0
		enough := errors.New("enough")
		read := make(chan struct{})
		go func() { defer close(read); readFrame(t, peer); _ = peer.Close() }()
		err = server.Serve(bg, func(_ *Conn, m Message) error {
			if n += len(m.Data); n == 80_000 {
				return enough
			}
			return nil
		})
		<-read
		if err != enough || string(p) != strings.Repeat("m", 40_000) {
			t.Errorf("%s: %v after %d bytes", kind, err, n)
		}
	}
}

func TestAnErrorOfTheCallbackClosesTheConnection(t *testing.T) {
	for _, tt := range []struct {
		err    error
		code   StatusCode
		reason string
	}{
		{errors.New("private"), StatusInternalError, ""},
		{&CloseError{Code: 4004, Reason: "unknown room"}, 4004, "unknown room"},
		{fmt.Errorf("wrapped: %w", &CloseError{Code: StatusPolicyViolation}), StatusPolicyViolation, ""},
	} {
		client, server := pair(t, "tls")
		served := make(chan error, 1)
		go func() { served <- server.Serve(bg, func(*Conn, Message) error { return tt.err }) }()
		_ = client.Write(bg, Text, nil)
		_, _, err := client.Read(bg)
		e, ok := errors.AsType[*CloseError](err)
		if !ok || e.Code != tt.code || e.Reason != tt.reason {
			t.Errorf("the client saw %v", err)
		}
		if err := <-served; err != tt.err {
			t.Errorf("Serve returned %v", err)
		}
	}
}

func TestCloseInsideTheCallback(t *testing.T) {
	for _, kind := range kinds {
		client, server := pair(t, kind)
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(bg, func(c *Conn, m Message) error {
				_ = c.Write(bg, Text, []byte("goodbye"))
				return c.Close(StatusGoingAway, "asked to")
			})
		}()
		_ = client.Write(bg, Text, nil)
		if _, p, err := client.Read(bg); string(p) != "goodbye" || err != nil {
			t.Fatalf("%s: %q, %v", kind, p, err)
		}
		if _, _, err := client.Read(bg); CloseStatus(err) != StatusGoingAway {
			t.Errorf("%s: the client saw %v", kind, err)
		}
		if err := <-served; err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestCloseInsideTheCallbackIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 20)
		set := newSettings(0, 0, -1, 0)
		set.wheel = new(wheel.Wheel)
		server := newConn(transport.New(b), frame.Server, "", set, nil, nil)
		_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x"))
		began := time.Now()
		err := server.Serve(bg, func(c *Conn, m Message) error { return c.Close(StatusNormalClosure, "") })
		if !errors.Is(err, ErrCloseTimeout) || time.Since(began) > DefaultCloseTimeout+2*wheel.Tick {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = a.Close()
	})
}

func TestServeDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		return
	}
	for _, kind := range []string{"plain", "tls"} {
		want := 0.0
		if kind == "tls" {
			want = 2 * allocsOfTLS(t) // a record there and one back
		}
		client, server := pair(t, kind)
		served := echo(server)
		ctx, cancel := context.WithCancel(bg)
		buf, msg := make([]byte, 256), make([]byte, 200)
		if n := testing.AllocsPerRun(300, func() {
			if err := client.Write(ctx, Binary, msg); err != nil {
				t.Fatal(err)
			}
			if _, p, err := client.ReadInto(ctx, buf); len(p) != 200 || err != nil {
				t.Fatal(err)
			}
		}); n != want {
			t.Errorf("%s: %v allocations for a message and its echo, want %v", kind, n, want)
		}
		cancel()
		_ = client.CloseNow()
		<-served
	}
}

func BenchmarkServe(b *testing.B) {
	for _, size := range []int{32, 1024, 65536} {
		b.Run(fmt.Sprintf("tls/%d", size), func(b *testing.B) {
			client, server := pair(b, "tls")
			served := echo(server)
			msg, buf := make([]byte, size), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Write(bg, Binary, msg); err != nil {
					b.Fatal(err)
				}
				if _, _, err := client.ReadInto(bg, buf); err != nil {
					b.Fatal(err)
				}
			}
			_ = client.CloseNow()
			<-served
		})
	}
}

// TestAnEndBehindTheLastBytesIsSeen although both are one event to the poller.
func TestAnEndBehindTheLastBytesIsSeen(t *testing.T) {
	if !race.Enabled {
		t.Parallel()
	}
	for _, how := range []string{"Serve", "Go"} {
		peer, server := raw(t, "plain")
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "last"))
		_ = peer.Close()
		ended := make(chan error, 1)
		got := ""
		fn := func(_ *Conn, m Message) error { got = string(m.Data); return nil }
		if how == "Go" {
			server.ServeInBackground(fn, func(err error) { ended <- err })
		} else {
			go func() { ended <- server.Serve(bg, fn) }()
		}
		if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) || got != "last" {
			t.Errorf("%s: %q, %v", how, got, err)
		}
	}
}

// TestServeHasClosedTheSocketWhenItReturns, whether the peer's stream ended or broke off, and
// what fn wrote before has left.
func TestServeHasClosedTheSocketWhenItReturns(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"plain", "tls"} {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, " reset ", reset), func(t *testing.T) {
				peer, server := raw(t, kind)
				below, err := tcpOf(server.transport.NetConn()).SyscallConn()
				if err != nil {
					t.Fatal(err)
				}
				served := echo(server)
				if _, err := peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "hello")); err != nil {
					t.Fatal(err)
				}
				if _, p := readFrame(t, peer); p != "hello" {
					t.Errorf("%q", p)
				}
				if reset {
					_ = tcpOf(peer).SetLinger(0)
					_ = tcpOf(peer).Close()
				} else {
					closeWrite(peer)
				}
				e, ok := errors.AsType[*CloseError](<-served)
				if !ok || e.Code != StatusAbnormal || !reset && !errors.Is(e, io.ErrUnexpectedEOF) {
					t.Errorf("%v", e)
				}
				if err := below.Control(func(uintptr) {}); !errors.Is(err, net.ErrClosed) {
					t.Errorf("the socket is open: %v", err)
				}
			})
		}
	}
}

// tcpOf returns the socket at the bottom.
func tcpOf(nc net.Conn) *net.TCPConn {
	for {
		switch c := nc.(type) {
		case *net.TCPConn:
			return c
		case interface{ NetConn() net.Conn }:
			nc = c.NetConn()
		}
	}
}

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
	for c.Stats().WireIn < peer.Stats().WireOut || !c.keepalive.mayPark.Load() || c.keepalive.waits.Load() == 0 {
		runtime.Gosched()
	}
	c.keepalive.mayPark.Store(false)
	c.keepalive.parking.Store(true)
	_ = c.transport.SetReadDeadline(past)
}

// TestLabelsOfTheProfilerStay with the goroutine of ServeInBackground when it is exchanged.
func TestLabelsOfTheProfilerStay(t *testing.T) {
	labels := func() string {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
		return b.String()
	}
	awaitStacks("conn.(*service).wait(", 0) // of tests before this one
	client, server := pair(t, "plain")
	pprof.Do(bg, pprof.Labels("peer", "192.0.2.7:"+t.Name()), func(context.Context) { server.ServeInBackground(echoBack, nil) })
	for range 3 {
		if err := exchanged(client, Text, "hello"); err != nil {
			t.Fatal(err)
		}
		park(server, client)
		awaitStacks("conn.(*service).wait(", 1)
		all := labels()
		for end := time.Now().Add(patience); strings.Count(all, "192.0.2.7:"+t.Name()) > 1 && time.Now().Before(end); all = labels() {
			time.Sleep(time.Millisecond) // until the goroutine that was exchanged has ended
		}
		if strings.Count(all, "192.0.2.7:"+t.Name()) != 1 {
			t.Errorf("the labels are not there once:\n%s", all)
		}
	}
}

// TestGoServesAcrossGoroutines: whole messages, long ones and halves, before and after
// the goroutine was exchanged.
func TestGoServesAcrossGoroutines(t *testing.T) {
	awaitStacks("conn.(*service).wait(", 0) // of tests before this one
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind)
			ended := make(chan error, 1)
			server.ServeInBackground(echoBack, func(err error) { ended <- err })
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
	awaitStacks("conn.(*service).wait(", 0) // of tests before this one
	for _, pings := range []time.Duration{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			peer, b := pipe.New(1 << 16)
			set := newSettings(0, 0, pings, 0)
			set.wheel = new(wheel.Wheel)
			server := newConn(transport.New(b), frame.Server, "", set, nil, nil)
			ended := make(chan error, 1)
			server.ServeInBackground(echoBack, func(err error) { ended <- err })
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
		c.ServeInBackground(func(c *Conn, m Message) error {
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

// TestServeInBackgroundAfterTheEnd calls ended at once, if there is one.
func TestServeInBackgroundAfterTheEnd(t *testing.T) {
	_, server := pair(t, "plain")
	_ = server.CloseNow()
	ended := make(chan error, 1)
	server.ServeInBackground(echoBack, func(err error) { ended <- err })
	if err := <-ended; CloseStatus(err) != StatusAbnormal {
		t.Errorf("got %v", err)
	}
	server.ServeInBackground(echoBack, nil)
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
