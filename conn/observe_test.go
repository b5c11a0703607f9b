package conn

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// roundTrips is an observer that sends a ping in RoundTrip, and sends its arguments to a channel.
type roundTrips struct {
	NopObserver
	told chan time.Duration
	ping func(c *Conn)
}

func (r roundTrips) RoundTrip(c *Conn, d time.Duration) {
	if r.ping != nil {
		r.ping(c)
	}
	r.told <- d
}

// observedPair is pair with an observer of the client.
func observedPair(t *testing.T, kind string, o Observer, change func(*settings)) (client, server *Conn) {
	t.Helper()
	set := newSettings(0, patience, 0, 0)
	if change != nil {
		change(&set)
	}
	cn, sn := ends(t, kind)
	client = opened{transport: transport.New(cn), role: frame.Client, settings: set, observer: o}.start()
	server = newConn(transport.New(sn), frame.Server, "", newSettings(0, 0, 0, -1), nil, nil)
	t.Cleanup(func() { _ = client.CloseNow(); _ = server.CloseNow() })
	return client, server
}

// TestAnObserverIsToldOfRoundTrips of Ping, with the duration that Ping returns.
func TestAnObserverIsToldOfRoundTrips(t *testing.T) {
	for _, kind := range kinds {
		o := roundTrips{told: make(chan time.Duration, 1)}
		client, server := observedPair(t, kind, o, nil)
		client.CloseRead(bg)
		server.CloseRead(bg)
		for range 3 {
			d, err := client.Ping(bg)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if got := <-o.told; got != d || client.Stats().RoundTrip != d {
				t.Errorf("%s: told %v, Ping returned %v, Stats %v", kind, got, d, client.Stats().RoundTrip)
			}
		}
	}
}

// TestAnObserverIsToldOfKeepalive's round trips.
func TestAnObserverIsToldOfKeepalive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := roundTrips{told: make(chan time.Duration)}
		client, server := observedPair(t, "pipe", o, func(s *settings) { s.pingInterval = time.Minute })
		client.CloseRead(bg)
		server.CloseRead(bg)
		for range 3 {
			start := time.Now()
			<-o.told
			if passed := time.Since(start); passed < 50*time.Second || passed > 70*time.Second {
				t.Errorf("after %v", passed)
			}
		}
		_ = client.CloseNow()
		_ = server.CloseNow()
	})
}

// TestARoundTripsObserverMayCallAnything: no lock or token is held that reading or closing needs.
func TestARoundTripsObserverMayCallAnything(t *testing.T) {
	for name, call := range map[string]func(t *testing.T, c *Conn){
		"pings": func(t *testing.T, c *Conn) {
			if _, err := c.Ping(bg); err != nil {
				t.Error(err)
			}
		},
		"closes": func(t *testing.T, c *Conn) {
			if err := c.Close(StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		},
		"closes now": func(t *testing.T, c *Conn) {
			if err := c.CloseNow(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := roundTrips{told: make(chan time.Duration, 2)}
			returned := make(chan struct{})
			var once sync.Once
			o.ping = func(c *Conn) {
				first := false
				once.Do(func() { first = true })
				if first { // a round trip of its own ping follows it, on another goroutine
					call(t, c)
					close(returned)
				}
			}
			client, server := observedPair(t, "tls", o, nil)
			client.CloseRead(bg)
			server.CloseRead(bg)
			_, _ = client.Ping(bg)
			<-returned
		})
	}
}

// TestPingsOfSendLatestAreNoRoundTrips: they are many, and measure whether the peer reads.
func TestPingsOfSendLatestAreNoRoundTrips(t *testing.T) {
	o := roundTrips{told: make(chan time.Duration, 100)}
	client, server := observedPair(t, "plain", o, nil)
	client.CloseRead(bg)
	go func() {
		for {
			if _, _, err := server.Read(bg); err != nil {
				return
			}
		}
	}()
	for client.Stats().RoundTrip == 0 { // until one is answered
		if err := client.SendLatest(bg, "state", prepare(t, Text, "x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	d, err := client.Ping(bg)
	if told := <-o.told; err != nil || told != d || len(o.told) != 0 {
		t.Errorf("told %v and %d more, Ping returned %v, %v", told, len(o.told), d, err)
	}
}

// TestUnsolicitedPongsAreNoRoundTrips: a peer cannot cause a call of RoundTrip by them.
func TestUnsolicitedPongsAreNoRoundTrips(t *testing.T) {
	o := roundTrips{told: make(chan time.Duration, 1)}
	client, server := observedPair(t, "tls", o, nil)
	server.CloseRead(bg)
	for _, payload := range []string{"", "12345678", "\x00\x00\x00\x00\x00\x00\x00\x01"} {
		server.send.enqueueControl(frame.Pong, []byte(payload))
	}
	if err := server.Write(bg, Text, []byte("behind them")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Read(bg); err != nil {
		t.Fatal(err)
	}
	if len(o.told) != 0 || client.Stats().ControlIn != 3 {
		t.Errorf("%d round trips, %d control frames", len(o.told), client.Stats().ControlIn)
	}
}

// lastCounts sends the counts of Stats in Closed to a channel.
type lastCounts struct {
	NopObserver
	in chan int64
}

func (l lastCounts) Closed(c *Conn, _ *CloseError) { l.in <- c.Stats().MessagesIn }

// TestStatsAreCompleteInClosed, when messages and the end come together.
func TestStatsAreCompleteInClosed(t *testing.T) {
	for _, kind := range kinds {
		for name, end := range map[string]func(server *Conn){
			"a close frame": func(c *Conn) { c.send.enqueueClose(&CloseError{Code: StatusGoingAway}) },
			"a broken rule": func(c *Conn) { c.send.enqueueControl(frame.Opcode(11), nil) },
			"a cut stream":  nil,
		} {
			for _, serve := range []bool{false, true} {
				o := lastCounts{in: make(chan int64, 1)}
				client, server := observedPair(t, kind, o, nil)
				_ = server.Cork(func() error {
					for range 5 {
						_ = server.Write(bg, Text, []byte("a few"))
					}
					if end != nil {
						end(server)
					}
					return nil
				})
				if end == nil {
					_ = server.CloseNow()
				} else {
					go server.awaitClose()
				}
				received := int64(0)
				if serve {
					_ = client.Serve(bg, func(*Conn, Message) error { received++; return nil })
				} else {
					for _, err := range client.Messages(bg) {
						if err == nil {
							received++
						}
					}
				}
				if got := <-o.in; got != received || end != nil && got != 5 { // pipes forget what was not read when they are closed
					t.Errorf("%s, %s, Serve %v: %d messages, and %d were received", kind, name, serve, got, received)
				}
			}
		}
	}
}

// counted counts calls for messages. If ignores is set, it is a MessageIgnorer that ignores them.
type counted struct {
	NopObserver
	ignore   bool
	messages *int
}

func (o counted) IgnoresMessages() bool              { return o.ignore }
func (o counted) MessageIn(*Conn, MessageType, int)  { *o.messages++ }
func (o counted) MessageOut(*Conn, MessageType, int) { *o.messages++ }

// TestAMessageIgnorerIsNotCalledForMessages.
func TestAMessageIgnorerIsNotCalledForMessages(t *testing.T) {
	for ignore, want := range map[bool]int{false: 2, true: 0} {
		n := 0
		client, server := observedPair(t, "plain", counted{ignore: ignore, messages: &n}, nil)
		served := echo(server)
		if err := client.Write(bg, Text, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := client.Read(bg); err != nil {
			t.Fatal(err)
		}
		_ = client.Close(StatusNormalClosure, "")
		<-served
		if n != want || client.Stats().MessagesIn != 1 {
			t.Errorf("ignore %v: told %d times", ignore, n)
		}
	}
}
