package reconnect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
)

// guarded is a handler that accepts one token, which may change, and refuses others with 401.
type guarded struct {
	mu      sync.Mutex
	token   int
	refused int
	accept  http.HandlerFunc
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	ok := r.Header.Get("Authorization") == fmt.Sprint("Bearer ", g.token)
	if !ok {
		g.refused++
	}
	g.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.accept(w, r)
}

func TestCredentialsAreRefreshedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{accept: accept(time.Minute, conn.StatusGoingAway)}
		s := fast(t, g)
		asked, wrong := 0, false
		o := &Options{Dial: s.DialOptions(nil), Prepare: func(ctx context.Context, a *Attempt) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			if _, ok := ctx.Deadline(); !ok {
				t.Error("no deadline")
			}
			if e, ok := errors.AsType[*conn.HandshakeError](a.Err); a.Connections == 0 || ok && e.Status == http.StatusUnauthorized {
				asked++
			}
			token := g.token
			if wrong {
				token = -1
			} else if a.Connections > 0 && a.Number == 1 {
				g.token++ // it expires between
			}
			a.Dial.Header.Set("Authorization", fmt.Sprint("Bearer ", token))
			return nil
		}}
		connections := 0
		err := Run(bg, s.URL, o, func(ctx context.Context, c *conn.Conn) error {
			if connections++; connections == 5 {
				wrong = true
			}
			return reads(ctx, c)
		})
		if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != http.StatusUnauthorized {
			t.Errorf("%v", err)
		}
		// Four expired and were renewed; at last two in a row were refused.
		if connections != 5 || g.refused != 4+2 || asked != 1+4+1 {
			t.Errorf("%d connections, %d refused, asked %d times", connections, g.refused, asked)
		}
		if o.Dial.Header.Get("Authorization") != "" {
			t.Error("the options were changed")
		}
	})
}

func TestWithoutAHookARefusalOfCredentialsStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, h := range []http.HandlerFunc{refuse(http.StatusUnauthorized), accept(0, 3000)} {
			s := fast(t, h)
			if err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil)}, reads); err == nil || s.Dials() != 1 {
				t.Errorf("%v, %d dials", err, s.Dials())
			}
		}
		s := fast(t, accept(0, 3000)) // and one that closes at once stops in spite of it
		o := &Options{Dial: s.DialOptions(nil), Prepare: func(context.Context, *Attempt) error { return nil }}
		if err := Run(bg, s.URL, o, reads); conn.CloseStatus(err) != 3000 || s.Dials() != 2 {
			t.Errorf("%v, %d dials", err, s.Dials())
		}
	})
}

// TestErrorsOfPrepare: after those of the network the client comes back, others stop it.
func TestErrorsOfPrepare(t *testing.T) {
	own := errors.New("own")
	for _, tt := range []struct {
		name  string
		err   func(ctx context.Context) error
		again bool
	}{
		{"the network's", func(context.Context) error { return &net.OpError{Op: "dial", Err: own} }, true},
		{"marked by Again", func(context.Context) error { return Again(own) }, true},
		{"its deadline", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, true},
		{"its own after its deadline", func(ctx context.Context) error { <-ctx.Done(); return own }, true},
		{"its own", func(context.Context) error { return own }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := fast(t, newScript())
				calls := 0
				err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), Prepare: func(ctx context.Context, a *Attempt) error {
					if calls++; calls == 1 {
						return tt.err(ctx)
					}
					return nil
				}}, reads)
				if tt.again && s.Dials() != 1 || !tt.again && (s.Dials() != 0 || err != own) {
					t.Errorf("%v, %d dials", err, s.Dials())
				}
			})
		})
	}
}

func TestPrepareChoosesTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.RequestURI())
			if len(paths) == 3 {
				accept(time.Minute, conn.StatusNormalClosure)(w, r)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		})
		s := fast(t, h)
		err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), Prepare: func(ctx context.Context, a *Attempt) error {
			a.URL += fmt.Sprint("feed?ticket=", a.Number)
			return nil
		}}, reads)
		if diff := cmp.Diff([]string{"/feed?ticket=1", "/feed?ticket=2", "/feed?ticket=3"}, paths); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func TestResumeKnowsWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fast(t, newScript(
			refuse(503), accept(time.Minute, conn.StatusGoingAway), refuse(502), refuse(503), accept(time.Minute, 0), accept(time.Minute, 0),
		))
		var resumed []string
		own := errors.New("own")
		o := &Options{Dial: s.DialOptions(nil), MinDelay: time.Second, Rand: longest, Resume: func(ctx context.Context, c *conn.Conn, a Attempt) error {
			e, _ := errors.AsType[*conn.HandshakeError](a.Err)
			status := 0
			if e != nil {
				status = e.Status
			}
			resumed = append(resumed, fmt.Sprintf("attempt %d after %d connections, away for %v, lost by %d, then %d",
				a.Number, a.Connections, time.Since(a.LostAt), conn.CloseStatus(a.Lost), status))
			if len(resumed) == 2 {
				return own
			}
			return nil
		}}
		handled := 0
		err := Run(bg, s.URL, o, func(ctx context.Context, c *conn.Conn) error {
			handled++
			<-c.CloseRead(bg).Done()
			return ctx.Err()
		})
		want := []string{
			"attempt 3 after 1 connections, away for 7s, lost by 1001, then 503",
			"attempt 1 after 2 connections, away for 1s, lost by 1006, then 0",
		}
		if diff := cmp.Diff(want, resumed); diff != "" || !errors.Is(err, own) || handled != 2 {
			t.Error(diff, err, handled)
		}
	})
}

// TestAThousandClientsAfterAnOutage all come back, spread over time.
func TestAThousandClientsAfterAnOutage(t *testing.T) {
	clients := 1000
	if testing.Short() {
		clients = 200
	}
	for _, tt := range []struct {
		name string
		down func(s *conntest.Server, g *conn.Group)
	}{
		{"the host is gone for a minute", func(s *conntest.Server, _ *conn.Group) {
			s.Down(conntest.Reset)
			time.Sleep(time.Minute)
			s.Up()
		}},
		{"the server says that it restarts", func(_ *conntest.Server, g *conn.Group) {
			for c := range g.Conns() {
				go func() { _ = c.Close(conn.StatusServiceRestart, "") }()
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				group := &conn.Group{}
				perSecond := map[int64]int{}
				var mu sync.Mutex
				s := fast(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					perSecond[time.Now().Unix()]++
					mu.Unlock()
					if c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group, PingInterval: -1}); err == nil {
						c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
					}
				}))
				ctx, cancel := context.WithCancel(bg)
				var all sync.WaitGroup
				dial := s.DialOptions(&conn.DialOptions{PingInterval: -1})
				for range clients {
					all.Go(func() { _ = Run(ctx, s.URL, &Options{Dial: dial}, reads) })
				}
				time.Sleep(time.Minute)
				if n := group.Len(); n != clients {
					t.Fatalf("%d connections", n)
				}
				mu.Lock()
				clear(perSecond)
				mu.Unlock()
				tt.down(s, group)
				time.Sleep(time.Minute)
				if n := group.Len(); n != clients {
					t.Errorf("%d of %d came back", n, clients)
				}
				mu.Lock()
				most, sum := 0, 0
				for _, n := range perSecond {
					most, sum = max(most, n), sum+n
				}
				mu.Unlock()
				mean := float64(clients) / 15 // a second, while the server listens again
				if sum != clients || float64(most) > mean+6*math.Sqrt(mean) {
					t.Errorf("%d connections, %d in one second at most", sum, most)
				}
				t.Logf("%d connections, %d in one second at most", sum, most)
				cancel()
				all.Wait()
			})
		})
	}
}

// TestAServerThatIsShutDownInAnOrderlyWay closes with 1001, refuses with Retry-After while others are still connected, and stops
// listening; then the next server starts.
func TestAServerThatIsShutDownInAnOrderlyWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := &conn.Group{RetryAfter: 8 * time.Second}
		accepts := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group}); err == nil {
				_ = reads(bg, c)
			}
		})
		old, next := fast(t, accepts), fast(t, newScript(accept(time.Minute, conn.StatusNormalClosure)))
		next.Down(conntest.Reset)
		stubborn := old.Connect("", nil) // it reads nothing, so that the group does not get empty
		dial := old.DialOptions(nil)
		dial.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if nc, err := old.NetDial(ctx, network, addr); err == nil {
				return nc, nil
			}
			return next.NetDial(ctx, network, addr)
		}
		var states []State
		c := New(old.URL, &Options{Dial: dial, MinDelay: time.Second, Rand: longest, OnState: func(s State) { states = append(states, s) }})
		go func() {
			time.Sleep(20 * time.Second) // less than the timeout for a peer that reads nothing
			ctx, cancel := context.WithTimeout(bg, 3*time.Second)
			defer cancel()
			if err := group.ShutdownServer(ctx, old.HTTP, conn.ShutdownOptions{}); err != context.DeadlineExceeded {
				t.Error(err)
			}
			time.Sleep(30 * time.Second)
			next.Up()
		}()
		if err := c.Run(bg, reads); err != nil {
			t.Error(err)
		}
		var waits []string
		for _, s := range states {
			if s.Phase == Waiting {
				e, _ := errors.AsType[*conn.HandshakeError](s.Err)
				status := 0
				if e != nil {
					status = e.Status
				}
				waits = append(waits, fmt.Sprint(s.Until.Sub(s.Since), " ", int(conn.CloseStatus(s.Err)), " ", status))
			}
		}
		want := []string{"1s 1001 0", "16s 0 503", "4s 0 0", "8s 0 0", "16s 0 0"}
		if diff := cmp.Diff(want, waits); diff != "" {
			t.Error(diff)
		}
		_ = stubborn.CloseNow()
	})
}
