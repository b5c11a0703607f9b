package conntest

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func TestLatencyIsExact(t *testing.T) {
	for _, to := range []time.Duration{-1, 0, time.Nanosecond, 80 * time.Millisecond} {
		for _, from := range []time.Duration{-1, 0, 20 * time.Millisecond, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(t, echo(nil), &Options{ToServer: Direction{Latency: to}, ToClient: Direction{Latency: from}})
				began := time.Now()
				c := s.Connect("", nil)
				want := latencyOf(to) + latencyOf(from)
				if d := time.Since(began); d != 2*want { // of the connection, and of the handshake
					t.Errorf("%v, %v: connecting took %v, want %v", to, from, d, 2*want)
				}
				for range 3 {
					began = time.Now()
					exchanged(t, c, strings.Repeat("x", 10_000))
					if d := time.Since(began); d != want {
						t.Errorf("%v, %v: an exchange took %v, want %v", to, from, d, want)
					}
				}
				c.ToServer.SetLatency(10 * time.Second)
				began = time.Now()
				exchanged(t, c, "x")
				if d := time.Since(began); d != 10*time.Second+latencyOf(from) {
					t.Errorf("an exchange took %v", d)
				}
			})
		}
	}
}

func latencyOf(d time.Duration) time.Duration {
	if d == 0 {
		return DefaultLatency
	}
	return max(d, 0)
}

func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, echo(nil), &Options{ToClient: Direction{Latency: -1, BytesPerSecond: 1 << 20}, ToServer: Direction{Latency: -1}})
		before, began := c.ToClient.Bytes(), time.Now()
		exchanged(t, c, strings.Repeat("x", 1<<20))
		if n := c.ToClient.Bytes() - before; n != 1<<20+10 {
			t.Errorf("%d bytes", n)
		}
		if d := time.Since(began).Round(time.Millisecond); d != time.Second {
			t.Errorf("took %v", d)
		}
	})
}

// TestACutAtEveryByte ends both sides, and leaves no goroutine.
func TestACutAtEveryByte(t *testing.T) {
	sizes := func(o *Options) (toServer, toClient int64) {
		synctest.Test(t, func(t *testing.T) {
			c := Pipe(t, echo(nil), o)
			exchanged(t, c, "hello")
			_ = c.Close(conn.StatusNormalClosure, "")
			toServer, toClient = c.ToServer.Bytes(), c.ToClient.Bytes()
		})
		return toServer, toClient
	}
	for _, url := range []string{"ws://localhost/", "wss://localhost/"} {
		toServer, toClient := sizes(&Options{URL: url})
		step := int64(1)
		if url[:3] == "wss" {
			step = 17
		}
		if testing.Short() {
			step *= 5
		}
		for _, how := range []Cut{Reset, End, Silence} {
			for n := int64(1); n <= toServer; n += step {
				cutAt(t, Options{URL: url, ToServer: Direction{CutAfter: n, Cut: how}}, n)
			}
			for n := int64(1); n <= toClient; n += step {
				cutAt(t, Options{URL: url, ToClient: Direction{CutAfter: n, Cut: how}}, n)
			}
		}
	}
}

func cutAt(t *testing.T, o Options, n int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		c, _, err := Dial(t, handler(nil, func(c *conn.Conn) {
			ended <- c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
		}), &o)
		if err != nil { // cut within the handshake
			return
		}
		if err := c.Write(bg, conn.Text, []byte("hello")); err == nil {
			if _, p, err := c.Read(bg); err == nil && string(p) != "hello" {
				t.Errorf("%v at %d: read %q", o.ToServer.Cut, n, p)
			}
		}
		_ = c.Close(conn.StatusNormalClosure, "")
		<-ended
		link := c.ToServer
		if o.ToServer.CutAfter == 0 {
			link = c.ToClient
		}
		if got := link.Bytes(); got < n || got > n && o.ToServer.Cut != Silence && o.ToClient.Cut != Silence {
			t.Errorf("carried %d bytes, to be cut at %d", got, n)
		}
		if s := c.Transcript(); !strings.Contains(s, "network: ") {
			t.Errorf("cut at %d:\n%s", n, s)
		}
	})
}

func TestCutsLookDifferent(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		for _, tt := range []struct {
			how  Cut
			want error
			took time.Duration
		}{
			{Reset, syscall.ECONNRESET, 0},
			{End, io.ErrUnexpectedEOF, 0},
			{Silence, conn.ErrPingTimeout, conn.DefaultPingInterval},
		} {
			ended := make(chan error, 1)
			c := Pipe(t, handler(nil, func(c *conn.Conn) {
				_, _, err := c.Read(bg)
				ended <- err
			}), &o)
			began := time.Now()
			c.Cut(tt.how)
			c.Cut(Reset) // the first counts
			_, _, err := c.Read(bg)
			if !errors.Is(err, tt.want) || conn.CloseStatus(err) != conn.StatusAbnormal {
				t.Errorf("%v: %v", tt.how, err)
			}
			if d := time.Since(began); d < tt.took || d > tt.took+time.Minute {
				t.Errorf("%v: took %v", tt.how, d)
			}
			if err := <-ended; !errors.Is(err, tt.want) {
				t.Errorf("%v: the server: %v", tt.how, err)
			}
			if got := c.Transcript(); !o.NoTranscript && !strings.Contains(got, "network: "+tt.how.String()+"\n") {
				t.Errorf("%s", got)
			}
		}
	})
}

func TestACutOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, echo(nil), nil)
		exchanged(t, c, "hello")
		c.ToClient.CutAfter(7+3, Reset) // an answer, and a part of the next
		if got := exchanged(t, c, "hello"); got != "hello" {
			t.Error(got)
		}
		_ = c.Write(bg, conn.Text, []byte("hello"))
		if _, _, err := c.Read(bg); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		c.ToClient.CutAfter(1, Silence) // too late
		c.ToClient.CutAfter(0, Silence)
		if got := c.Transcript(); strings.Count(got, "network: ") != 1 {
			t.Errorf("%s", got)
		}
	})
}

// TestSilenceBeginsBehindTheByte: bytes that were written before are delivered, later ones are not.
func TestSilenceBeginsBehindTheByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, echo(nil), nil)
		c.ToClient.CutAfter(2*7+3, Silence)
		for range 3 {
			if err := c.Write(bg, conn.Text, []byte("hello")); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, p, err := c.Read(bg); string(p) != "hello" || err != nil {
				t.Errorf("%q, %v", p, err)
			}
		}
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := c.ToClient.Buffered(); n != 7-3 {
			t.Errorf("%d bytes buffered", n)
		}
	})
}

// TestAClientThatTakesItsTimeGetsTheNewest message of a handler that uses SendLatest.
func TestAClientThatTakesItsTimeGetsTheNewest(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		o.ToClient.Buffer = 4 << 10
		o.StockListener = false // without it a goroutine sends, which may hold more
		replaced := make(chan int64, 1)
		c := Pipe(t, handler(nil, func(c *conn.Conn) {
			read := c.CloseRead(bg)
			for i := range 100 {
				p, err := conn.Prepare(conn.Binary, append(make([]byte, 3000), byte(i)))
				if err != nil {
					t.Error(err)
				}
				if err := c.SendLatest(bg, "state", p); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
			replaced <- c.Stats().Replaced
			<-read.Done()
		}), &o)
		c.ToClient.Pause()
		n := <-replaced
		c.ToClient.Resume()
		var got []byte
		for len(got) == 0 || got[len(got)-1] != 99 {
			_, p, err := c.Read(bg)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p[3000])
		}
		if int(n)+len(got) != 100 || len(got) > 20 {
			t.Errorf("%d replaced, received %v", n, got)
		}
	})
}

func TestAWriteWaitsForAFullBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, handler(nil, func(c *conn.Conn) {
			_, _, _ = c.Read(bg)
			_, _, _ = c.Read(bg)
		}), &Options{ToServer: Direction{Buffer: 1000}})
		c.ToServer.Pause()
		ctx, cancel := context.WithTimeout(bg, 5*time.Second)
		defer cancel()
		err := c.Write(ctx, conn.Binary, make([]byte, 10_000))
		e, ok := errors.AsType[*conn.InterruptedError](err)
		if !ok || e.Closed || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := c.ToServer.Buffered(); n != 1000 {
			t.Errorf("%d bytes buffered", n)
		}
		c.ToServer.Resume()
		if err := c.Write(bg, conn.Text, []byte("more")); err != nil {
			t.Error(err)
		}
		if err := c.Flush(bg); err != nil {
			t.Error(err)
		}
		if got := c.Transcript(); strings.Count(got, "client: ") != 3 {
			t.Errorf("%s", got)
		}
	})
}
