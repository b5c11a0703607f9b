package conn

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// grouped serves an echo over TLS whose connections join g.
func grouped(t *testing.T, g *Group, change ...func(*AcceptOptions)) (dial func(header ...string) (*Conn, error)) {
	t.Helper()
	o := &AcceptOptions{Group: g, CloseTimeout: patience}
	for _, f := range change {
		f(o)
	}
	url, do := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := Accept(w, r, o); err == nil {
			c.ServeInBackground(echoBack, nil)
		}
	}), true, true)
	return func(header ...string) (*Conn, error) {
		d := *do
		d.Header = http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			d.Header.Set(header[i], header[i+1])
		}
		c, _, err := Dial(bg, url, &d)
		if err == nil {
			t.Cleanup(func() { _ = c.CloseNow() })
		}
		return c, err
	}
}

func must(t *testing.T, c *Conn, err error) *Conn {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func awaitLen(g *Group, n int) {
	for g.Len() != n {
		time.Sleep(time.Millisecond)
	}
}

// TestGroupLimits refuses what is too much before anything else, and lets others in
// when somebody has left.
func TestGroupLimits(t *testing.T) {
	key := func(r *http.Request) string { return r.Header.Get("X-User") }
	for _, tt := range []struct {
		name   string
		group  *Group
		header []string
		status int
		token  string
	}{
		{"in all", &Group{MaxConns: 2}, nil, 503, "too_many_connections"},
		{"per address", &Group{MaxPerAddress: 2, RetryAfter: 1500 * time.Millisecond}, nil, 429, "too_many_from_address"},
		{"per key", &Group{Key: key, MaxPerKey: 2}, []string{"X-User", "anna"}, 429, "too_many_for_key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := tt.group
			dial := grouped(t, g)
			first, err := dial(tt.header...)
			must(t, first, err)
			second, err := dial(tt.header...)
			must(t, second, err)
			_, err = dial(tt.header...)
			e, ok := errors.AsType[*HandshakeError](err)
			if !ok || e.Status != tt.status {
				t.Fatalf("got %v", err)
			}
			want := "5"
			if g.RetryAfter != 0 {
				want = "2"
			}
			if got := e.Response.Header.Get("Retry-After"); got != want {
				t.Errorf("Retry-After %q", got)
			}
			if tt.name == "per key" {
				other, err := dial("X-User", "ben")
				must(t, other, err)
				nobody, err := dial()
				must(t, nobody, err)
				_ = other.CloseNow()
				_ = nobody.CloseNow()
			}
			// A slot is given back by a connection that ends, and by a request that
			// comes to nothing.
			_ = first.CloseNow()
			awaitLen(g, 1)
			if _, err := dial(append([]string{"Origin", "https://elsewhere.example"}, tt.header...)...); err == nil {
				t.Fatal("the origin was let in")
			}
			third, err := dial(tt.header...)
			must(t, third, err)
			awaitLen(g, 2)
			s := g.Stats()
			if s.Refused != 1 || s.Active != 2 || s.Opened < 3 {
				t.Errorf("%+v", s)
			}
			_ = second.CloseNow()
			_ = third.CloseNow()
			awaitLen(g, 0)
			if len(g.addrs)+len(g.keys)+g.entering != 0 {
				t.Errorf("left: %v, %v, %d", g.addrs, g.keys, g.entering)
			}
		})
	}
}

// TestAddressesOfOneNetworkAreOne, and what is no address is not counted at all.
func TestAddressesOfOneNetworkAreOne(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "192.0.2.7": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::", "[2001:db8:1:2:ffff::]:443": "2001:db8:1:2::",
		"[2001:db8:1:3::]:443": "2001:db8:1:3::", "2001:db8:1:2::1": "2001:db8:1:2::",
		"[fe80::1%eth0]:443": "fe80::%eth0", "[fe80::2%eth0]:443": "fe80::%eth0", "[fe80::1%eth1]:443": "fe80::%eth1",
		"pipe": "", "@": "", "": "", "/run/app.sock": "",
	} {
		if got := addressKey((&Group{}).ClientAddr(&http.Request{RemoteAddr: in})); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// TestBroadcast reaches all, or those that are picked, past one that does not read.
func TestBroadcast(t *testing.T) {
	g := &Group{}
	dial := grouped(t, g, func(o *AcceptOptions) { o.QueueLimit = 1 << 16 })
	var clients []*Conn
	for range 5 {
		c, err := dial()
		clients = append(clients, must(t, c, err))
	}
	slow, err := dial()
	must(t, slow, err)
	awaitLen(g, 6)
	var wg sync.WaitGroup
	var odd sync.Map
	for i, c := range clients {
		wg.Go(func() {
			n := 0
			for {
				_, p, err := c.Read(bg)
				if err != nil {
					t.Error(err)
					return
				}
				if string(p) == "end" {
					odd.Store(i, n)
					return
				}
				n++
			}
		})
	}
	p := prepare(t, Binary, strings.Repeat("x", 1000))
	for g.Stats().Dropped == 0 { // until the slow one is given up
		if n := g.Broadcast(bg, nil, p); n < 5 {
			t.Fatalf("%d took it", n)
		}
		for _, c := range g.snapshot() { // the others keep up
			for c.RemoteAddr().String() != slow.LocalAddr().String() && c.Stats().Pending > 1<<15 {
				time.Sleep(time.Millisecond)
			}
		}
	}
	first := clients[0].LocalAddr().String()
	only := func(c *Conn) bool { return c.RemoteAddr().String() == first }
	if n := g.Broadcast(bg, only, p, p); n != 1 {
		t.Errorf("%d took what was for one", n)
	}
	g.Broadcast(bg, nil, prepare(t, Text, "end"))
	wg.Wait()
	a, _ := odd.Load(0)
	b, _ := odd.Load(1)
	if a.(int) != b.(int)+2 {
		t.Errorf("the first got %v, the second %v", a, b)
	}
}

// TestGroupShutdown tells everybody, refuses the next, and ends whoever does not go.
func TestGroupShutdown(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		g := &Group{}
		dial := grouped(t, g)
		var ends []<-chan error
		for range 4 {
			c, err := dial()
			must(t, c, err)
			end := make(chan error, 1)
			ends = append(ends, end)
			go func() {
				_, _, err := c.Read(bg)
				end <- err
			}()
		}
		if stubborn { // nobody reads there: the close frame is not answered
			c, err := dial()
			must(t, c, err)
		}
		awaitLen(g, 4+map[bool]int{true: 1}[stubborn])
		ctx, cancel := context.WithCancel(bg)
		shut := make(chan error, 1)
		go func() { shut <- g.Shutdown(ctx, ShutdownOptions{Reason: "bye"}) }()
		for _, end := range ends {
			e, _ := errors.AsType[*CloseError](<-end)
			if e == nil || e.Code != StatusGoingAway || e.Reason != "bye" || !e.Remote {
				t.Errorf("a client saw %v", e)
			}
		}
		if stubborn {
			awaitLen(g, 1)
			cancel()
		}
		if err := <-shut; stubborn != errors.Is(err, context.Canceled) || !stubborn && err != nil {
			t.Errorf("stubborn=%v: %v", stubborn, err)
		}
		cancel()
		if _, err := dial(); !strings.Contains(err.Error(), "503") {
			t.Errorf("afterwards: %v", err)
		}
		awaitLen(g, 0)
		if err := g.Shutdown(bg, ShutdownOptions{}); err != nil {
			t.Errorf("again: %v", err)
		}
		s := g.Stats()
		if s.Opened != int64(len(ends))+s.Codes[StatusAbnormal] || s.Codes[StatusGoingAway] != 4 || s.Refused != 1 {
			t.Errorf("%+v", s)
		}
	}
}

// TestShutdownClosesWhateverIsToBeSaid: a code or a reason that cannot be sent keeps nobody in.
func TestShutdownClosesWhateverIsToBeSaid(t *testing.T) {
	long := strings.Repeat("é", 62) // 124 bytes
	for _, tt := range []struct {
		name   string
		how    ShutdownOptions
		code   StatusCode
		reason string
	}{
		{"nothing", ShutdownOptions{}, StatusGoingAway, ""},
		{"a code that is never sent", ShutdownOptions{Code: StatusAbnormal, Reason: "x"}, StatusGoingAway, "x"},
		{"no code but a reason", ShutdownOptions{Code: StatusNoStatus, Reason: "x"}, StatusGoingAway, "x"},
		{"a code outside of all ranges", ShutdownOptions{Code: 5000}, StatusGoingAway, ""},
		{"the longest reason", ShutdownOptions{Code: 4000, Reason: long[:122] + "x"}, 4000, long[:122] + "x"},
		{"a reason that is one byte too long", ShutdownOptions{Code: 4000, Reason: long}, 4000, long[:122]},
		{"a reason that is no UTF-8", ShutdownOptions{Code: 4000, Reason: "\xff"}, 4000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &Group{}
			dial := grouped(t, g)
			c, err := dial()
			must(t, c, err)
			ended := make(chan error, 1)
			go func() {
				_, _, err := c.Read(bg)
				ended <- err
			}()
			if err := g.Shutdown(bg, tt.how); err != nil {
				t.Error(err)
			}
			e, _ := errors.AsType[*CloseError](<-ended)
			if e == nil || e.Code != tt.code || e.Reason != tt.reason || !e.Remote {
				t.Errorf("the client saw %v", e)
			}
		})
	}
}

// piped returns both ends of a connection in memory, the server's in a group. Its time
// is the bubble's.
func piped(t *testing.T, g *Group) (client, server *Conn) {
	t.Helper()
	a, b := pipe.New(1 << 16)
	got := make(chan *Conn, 1)
	go func() {
		c, err := Upgrade(bg, b, &AcceptOptions{Group: g})
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	client, _, err := Client(bg, a, "ws://pipe/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return client, <-got
}

// inBubble runs f where time is ours, on a wheel of its own.
func inBubble(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		theirs := keepalives
		keepalives = new(wheel.Wheel)
		defer func() { keepalives = theirs }()
		f(t)
	})
}

// TestMaximumAge closes connections that have become old, and not all at once.
func TestMaximumAge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := &Group{MaxAge: 6 * time.Minute, AgeJitter: 2 * time.Minute}
		began := time.Now()
		var mu sync.Mutex
		var ages []time.Duration
		var wg sync.WaitGroup
		for range 30 {
			client, server := piped(t, g)
			server.ServeInBackground(echoBack, nil)
			wg.Go(func() {
				err := client.Serve(bg, func(*Conn, Message) error { return nil })
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				ages = append(ages, time.Since(began))
			})
		}
		wg.Wait()
		for _, d := range ages {
			if d < 4*time.Minute || d > 6*time.Minute+time.Second {
				t.Errorf("closed after %v", d)
			}
		}
		if d := ages[len(ages)-1] - ages[0]; d < 30*time.Second {
			t.Errorf("all within %v", d)
		}
		awaitLen(g, 0)
		if s := g.Stats(); s.Codes[StatusGoingAway] != 30 || s.Active != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestShutdownIsSpread over the time that was asked for.
func TestShutdownIsSpread(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := &Group{}
		var wg sync.WaitGroup
		began := time.Now()
		var mu sync.Mutex
		var last time.Duration
		for range 20 {
			client, server := piped(t, g)
			server.ServeInBackground(echoBack, nil)
			wg.Go(func() {
				_ = client.Serve(bg, func(*Conn, Message) error { return nil })
				mu.Lock()
				last = time.Since(began)
				mu.Unlock()
			})
		}
		if err := g.Shutdown(bg, ShutdownOptions{Spread: 10 * time.Second}); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if last < 9*time.Second || last > 12*time.Second {
			t.Errorf("the last went after %v", last)
		}
	})
}

// TestGroupStats adds up what connections did, those that live and those that do not.
func TestGroupStats(t *testing.T) {
	g := &Group{}
	dial := grouped(t, g, func(o *AcceptOptions) { o.Compression.Mode = CompressionNoTakeover })
	for i := range 3 {
		c, err := dial()
		must(t, c, err)
		for range 10 {
			if err := c.Write(bg, Text, []byte(strings.Repeat("again ", 200))); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		if i < 2 {
			if err := c.Close(4000, ""); err != nil {
				t.Fatal(err)
			}
			awaitLen(g, 0)
		}
	}
	for s := g.Stats(); s.MessagesIn < 30 || s.WireOut < 30*1200; s = g.Stats() { // what was written is counted a moment later
		time.Sleep(time.Millisecond)
	}
	s := g.Stats()
	if s.MessagesIn != 30 || s.MessagesOut != 30 || s.PayloadIn != 30*1200 || s.PayloadOut != 30*1200 ||
		s.EncodedIn != 30*1200 || s.EncodedOut != 30*1200 || s.WireOut < 30*1200 ||
		s.ControlIn != 2 || s.ControlOut != 2 || s.Codes[4000] != 2 || s.Tokens["peer"] != 2 || s.Opened != 3 || s.Active != 1 {
		t.Errorf("%+v", s)
	}
}

// TestAgesAreSpread by the jitter that was chosen, and by a tenth if none was.
func TestAgesAreSpread(t *testing.T) {
	const most = 100 * time.Minute
	for _, tt := range []struct {
		name   string
		jitter time.Duration
		least  time.Duration
	}{
		{"none was chosen", 0, most - most/10},
		{"half an hour", 30 * time.Minute, most - 30*time.Minute},
		{"more than the age", 2 * most, 0},
		{"none", -1, most},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := Group{MaxAge: most, AgeJitter: tt.jitter}
			youngest := most
			for range 1000 {
				age := g.age()
				if age < tt.least || age > most {
					t.Fatalf("%v is not between %v and %v", age, tt.least, most)
				}
				youngest = min(youngest, age)
			}
			if youngest > tt.least+(most-tt.least)/10 {
				t.Errorf("the youngest of 1000 is %v old, and might be %v", youngest, tt.least)
			}
		})
	}
}
