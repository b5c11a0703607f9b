package reconnect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
)

func TestDelaysDoubleUpToTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newScript()
		for range 9 {
			h.steps = append(h.steps, refuse(http.StatusServiceUnavailable))
		}
		s := fast(t, h)
		err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), MinDelay: time.Second, MaxDelay: 20 * time.Second, Rand: longest}, reads)
		if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != http.StatusTeapot {
			t.Errorf("%v", err)
		}
		want := []time.Duration{1, 2, 4, 8, 16, 20, 20, 20, 20}
		for i := range want {
			want[i] *= time.Second
		}
		if diff := cmp.Diff(want, h.intervals()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDefaultsHold(t *testing.T) {
	o := (*Options)(nil).filled()
	if o.MinDelay != DefaultMinDelay || o.MaxDelay != DefaultMaxDelay || o.Dial == nil || o.Rand == nil || o.MaxAttempts != 0 {
		t.Errorf("%+v", o)
	}
	if o = (&Options{MinDelay: time.Hour, MaxDelay: -1}).filled(); o.MaxDelay != time.Hour {
		t.Errorf("%v", o.MaxDelay)
	}
	b := backoff{o: &o}
	o.MinDelay, o.MaxDelay = 1, forever
	for range 100 { // nothing overflows
		if d := b.next(nil); d < 0 {
			t.Fatal(d)
		}
	}
}

func TestRandIsKeptWithinItsBounds(t *testing.T) {
	for _, tt := range []struct{ random, want time.Duration }{{-1, 0}, {forever, time.Second}, {1, 1}} {
		o := (&Options{MinDelay: time.Second, Rand: func(time.Duration) time.Duration { return tt.random }}).filled()
		b := backoff{o: &o}
		if d := b.next(nil); d != tt.want {
			t.Errorf("%v: %v", tt.random, d)
		}
	}
}

// TestWaitsAreUniform: none is outside of its window, and all tenths of the window are equally likely.
func TestWaitsAreUniform(t *testing.T) {
	o := (&Options{MinDelay: time.Second, MaxDelay: 8 * time.Second}).filled()
	for waits, window := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
		var tenths [10]int
		for range 10_000 {
			b := backoff{o: &o, waits: waits}
			d := b.next(nil)
			if d < 0 || d >= window {
				t.Fatalf("wait %d: %v", waits, d)
			}
			tenths[d*10/window]++
		}
		if slices.Min(tenths[:]) < 850 || slices.Max(tenths[:]) > 1150 { // 5 standard deviations of 30
			t.Errorf("wait %d: %v", waits, tenths)
		}
	}
}

// TestALongConnectionResetsTheDelays, and a short one does not, or a server that accepts and closes at once would be
// dialed without a pause.
func TestALongConnectionResetsTheDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newScript(
			accept(0, conn.StatusGoingAway), accept(0, 0), accept(9*time.Second, conn.StatusInternalError), accept(0, conn.StatusNoStatus),
			accept(10*time.Second, 0), refuse(503), accept(0, conn.StatusGoingAway),
		)
		s := fast(t, h)
		_ = Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), MinDelay: time.Second, ResetAfter: 10 * time.Second, Rand: longest}, reads)
		want := []time.Duration{1, 2, 9 + 4, 8, 10 + 1, 2, 4}
		for i := range want {
			want[i] *= time.Second
		}
		if diff := cmp.Diff(want, h.intervals()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCodesThatAllClientsAreToldAreSpread(t *testing.T) {
	for _, code := range []conn.StatusCode{conn.StatusServiceRestart, conn.StatusTryAgainLater} {
		synctest.Test(t, func(t *testing.T) {
			h := newScript(accept(time.Minute, code))
			s := fast(t, h)
			_ = Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), Rand: longest}, reads)
			if got := h.intervals(); got[0] != time.Minute+DefaultMaxDelay {
				t.Errorf("%v: %v", code, got)
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newScript(refuse(503), accept(time.Minute, 0), refuse(503), refuse(503), accept(0, 0))
		s := fast(t, h)
		c := New(s.URL, &Options{Dial: s.DialOptions(nil), MaxAttempts: 3})
		err := c.Run(bg, reads)
		if !errors.Is(err, ErrGaveUp) || conn.CloseStatus(err) != conn.StatusAbnormal || len(h.intervals()) != 4 {
			t.Errorf("%v after %d", err, len(h.intervals())+1)
		}
		if state := c.State(); state.Phase != Stopped || state.Err != err {
			t.Errorf("%+v", state)
		}
	})
}

// TestHowTheHandlerReturns determines the verdict and the close code.
func TestHowTheHandlerReturns(t *testing.T) {
	own := errors.New("own")
	for _, tt := range []struct {
		name   string
		server http.HandlerFunc
		handle func(ctx context.Context, c *conn.Conn) error
		again  bool
		want   error           // of Run; nil: none
		closed conn.StatusCode // as the server saw it; 0: not asked
	}{
		{"nil, while the connection is open", nil, func(context.Context, *conn.Conn) error { return nil }, false, nil, 1000},
		{"nil, after it closed", nil, func(_ context.Context, c *conn.Conn) error { return c.Close(4000, "") }, false, nil, 4000},
		{"nil, after CloseNow", nil, func(_ context.Context, c *conn.Conn) error { return c.CloseNow() }, false, nil, 1006},
		{"nil, after the server went away", accept(0, 1001), func(ctx context.Context, c *conn.Conn) error {
			for _, err := range c.Messages(ctx) {
				return err
			}
			return nil
		}, true, nil, 0},
		{"nil, after the server was done", accept(0, 1000), func(ctx context.Context, c *conn.Conn) error {
			return c.Serve(ctx, func(*conn.Conn, conn.Message) error { return nil })
		}, false, nil, 0},
		{"the connection's error, wrapped", accept(0, 1012), func(ctx context.Context, c *conn.Conn) error {
			return fmt.Errorf("feed: %w", reads(ctx, c))
		}, true, nil, 0},
		{"the connection's error, that stops", accept(0, 1008), reads, false, &conn.CloseError{Code: 1008}, 0},
		{"the error of a net.Conn over it", accept(0, 1001), func(ctx context.Context, c *conn.Conn) error {
			_, err := io.ReadFull(c.NetConn(conn.Text), make([]byte, 1))
			return err
		}, true, nil, 0},
		{"its context's error, after the connection was lost", accept(0, 0), func(ctx context.Context, c *conn.Conn) error {
			c.CloseRead(bg)
			<-ctx.Done()
			return ctx.Err()
		}, true, nil, 0},
		{"the read's error after CloseNow", nil, func(ctx context.Context, c *conn.Conn) error {
			_ = c.CloseNow()
			return reads(ctx, c)
		}, true, nil, 0},
		{"the read's error after Close", nil, func(ctx context.Context, c *conn.Conn) error {
			_ = c.Close(1000, "")
			return reads(ctx, c)
		}, false, nil, 1000},
		{"an error of its own", nil, func(context.Context, *conn.Conn) error { return own }, false, own, 1011},
		{"an error of its own, after the connection was lost", accept(0, 0), func(ctx context.Context, c *conn.Conn) error {
			_ = reads(ctx, c)
			return own
		}, false, own, 0},
		{"an error with a code", nil, func(context.Context, *conn.Conn) error { return &conn.CloseError{Code: 4321, Err: own} }, false, own, 4321},
		{"an error marked by Again", nil, func(context.Context, *conn.Conn) error { return fmt.Errorf("%w", Again(own)) }, true, nil, 1000},
		{"an error marked by Again, after the server stopped", accept(0, 1008), func(ctx context.Context, c *conn.Conn) error {
			return Again(reads(ctx, c))
		}, true, nil, 0},
		{"a deadline of its own", nil, func(ctx context.Context, c *conn.Conn) error {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return reads(ctx, c)
		}, false, context.DeadlineExceeded, 1011},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan conn.StatusCode, 1)
				server := tt.server
				if server == nil {
					server = func(w http.ResponseWriter, r *http.Request) {
						c, err := conn.Accept(w, r, nil)
						if err == nil {
							closed <- conn.CloseStatus(reads(bg, c))
						}
					}
				}
				s := fast(t, newScript(server))
				err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil)}, tt.handle)
				if n := s.Dials(); n != 1 && !tt.again || n != 2 && tt.again {
					t.Errorf("%d dials: %v", n, err)
				}
				switch e, ok := tt.want.(*conn.CloseError); {
				case tt.again: // the second attempt's
				case ok && conn.CloseStatus(err) != e.Code, !ok && !errors.Is(err, tt.want):
					t.Errorf("%v", err)
				}
				if tt.closed != 0 {
					if code := <-closed; code != tt.closed {
						t.Errorf("closed with %v, want %v", code, tt.closed)
					}
				}
			})
		})
	}
}

func TestTheEndOfTheContext(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		phase Phase
	}{
		{"before anything", 0, Stopped}, {"while dialing", time.Second, Connecting},
		{"while connected", time.Minute, Connected}, {"while waiting", time.Hour + 20*time.Second, Waiting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan conn.StatusCode, 1)
				s := conntest.NewServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c, err := conn.Accept(w, r, nil); err == nil {
						ctx, cancel := context.WithTimeout(bg, time.Hour)
						defer cancel()
						if err := reads(ctx, c); ctx.Err() == nil {
							closed <- conn.CloseStatus(err)
						}
						_ = c.CloseNow()
					}
				}), &conntest.Options{ToServer: conntest.Direction{Latency: 4 * time.Second}})
				c := New(s.URL, &Options{Dial: s.DialOptions(nil), MinDelay: time.Minute, Rand: longest})
				ctx, cancel := context.WithCancel(bg)
				done := make(chan error, 1)
				if tt.after == 0 {
					cancel()
				}
				go func() { done <- c.Run(ctx, reads) }()
				time.Sleep(tt.after)
				synctest.Wait()
				if phase := c.State().Phase; phase != tt.phase {
					t.Errorf("%v", phase)
				}
				cancel()
				began := time.Now()
				if err := <-done; err != context.Canceled {
					t.Errorf("%v", err)
				}
				if d := time.Since(began); d > 10*time.Second {
					t.Errorf("returned after %v", d)
				}
				if tt.phase == Connected {
					if code := <-closed; code != conn.StatusGoingAway {
						t.Errorf("%v", code)
					}
				}
			})
		})
	}
}

// TestNeverTwoConnections: the server has seen the end of a connection before the next dial, even if the network is silent, and the
// client waits for a handler that does not return.
func TestNeverTwoConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handlers atomic.Int32
		ctx, cancel := context.WithTimeout(bg, 6*time.Hour)
		defer cancel()
		s := fast(t, newScript(slices.Repeat([]http.HandlerFunc{accept(10*time.Minute, conn.StatusGoingAway)}, 100)...))
		connections := 0
		o := &Options{Dial: s.DialOptions(nil), Prepare: func(context.Context, *Attempt) error {
			synctest.Wait()
			if n := s.Open(); n != 0 {
				t.Errorf("%d connections are open before a dial", n)
			}
			return nil
		}}
		err := Run(ctx, s.URL, o, func(ctx context.Context, c *conn.Conn) error {
			if handlers.Add(1) != 1 {
				t.Error("two handlers at once")
			}
			defer handlers.Add(-1)
			connections++
			switch connections % 3 {
			case 0:
				return Again(nil)
			case 1:
				err := reads(ctx, c)
				time.Sleep(10 * time.Minute) // it takes its time
				return err
			}
			return reads(ctx, c)
		})
		if err != context.DeadlineExceeded || connections < 15 {
			t.Errorf("%v, %d connections", err, connections)
		}
	})
}

func TestRunTwiceAtOnceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fast(t, newScript(accept(time.Minute, 0), accept(time.Minute, 0)))
		c := New(s.URL, &Options{Dial: s.DialOptions(nil)})
		finish := make(chan struct{})
		done := make(chan error, 1)
		waits := func(ctx context.Context, c *conn.Conn) error { <-finish; return nil }
		go func() { done <- c.Run(bg, waits) }()
		synctest.Wait()
		if err := c.Run(bg, reads); err != ErrRunning {
			t.Error(err)
		}
		close(finish)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := c.Run(bg, waits); err != nil { // and begins anew
			t.Error(err)
		}
		if state := c.State(); state.Connections != 1 {
			t.Errorf("%+v", state)
		}
	})
}

func TestAHandlerThatPanicsClosesItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fast(t, newScript(accept(time.Minute, 0)))
		c := New(s.URL, &Options{Dial: s.DialOptions(nil)})
		func() {
			defer func() {
				if r := recover(); r != "oops" {
					t.Errorf("recovered %v", r)
				}
			}()
			_ = c.Run(bg, func(context.Context, *conn.Conn) error { panic("oops") })
		}()
		synctest.Wait()
		if n := s.Open(); n != 0 {
			t.Errorf("%d open", n)
		}
		if state := c.State(); state.Phase != Stopped || state.Err != errHandlerLeft {
			t.Errorf("%+v", state)
		}
	})
}

func TestStatesAreReportedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fast(t, newScript(refuse(503), accept(time.Minute, conn.StatusGoingAway), accept(time.Minute, conn.StatusNormalClosure)))
		var got []string
		var c *Client
		began := time.Now()
		c = New(s.URL, &Options{Dial: s.DialOptions(nil), Rand: longest, MinDelay: time.Second, OnState: func(state State) {
			if c.State() != state || !state.Since.Equal(time.Now()) {
				t.Errorf("%+v, %+v", c.State(), state)
			}
			got = append(got, fmt.Sprintf("%v %v, attempt %d of connection %d", time.Since(began), state, state.Attempt, state.Connections))
		}})
		if state := c.State(); state.Phase != Idle || state.String() != "idle" {
			t.Errorf("%+v", state)
		}
		if err := c.Run(bg, reads); err != nil {
			t.Error(err)
		}
		want := []string{
			"0s connecting, attempt 1, attempt 1 of connection 0",
			"0s waiting for 1s: websocket: HANDSHAKE, attempt 1 of connection 0",
			"1s connecting, attempt 2: websocket: HANDSHAKE, attempt 2 of connection 0",
			"1s connected, attempt 2 of connection 1",
			"1m1s waiting for 1s: websocket: closed by the peer with code 1001 (going away), attempt 0 of connection 1",
			"1m2s connecting, attempt 1: websocket: closed by the peer with code 1001 (going away), attempt 1 of connection 1",
			"1m2s connected, attempt 1 of connection 2",
			"2m2s stopped, attempt 0 of connection 2",
		}
		for i, line := range got {
			if before, after, ok := strings.Cut(line, "websocket: "); ok && !strings.HasPrefix(after, "closed") {
				_, after, _ = strings.Cut(after, ", attempt")
				got[i] = before + "websocket: HANDSHAKE, attempt" + after
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAClientWithoutURLOrFunctionIsRefused(t *testing.T) {
	var c Client
	if err := c.Run(bg, reads); err == nil || !strings.Contains(err.Error(), "bad_url") {
		t.Error(err)
	}
	if err := Run(bg, "ws://localhost/", nil, nil); err != errNoFunction {
		t.Error(err)
	}
}
