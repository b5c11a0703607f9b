package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestPaceDecides when a ping is sent before a state, and when a state stays in the queue.
func TestPaceDecides(t *testing.T) {
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	type sent struct {
		ms, size   int
		ping, hold bool
	}
	for _, tt := range []struct {
		name    string
		prepare func(p *pace)
		away    bool // no goroutine reads
		states  []sent
	}{
		{name: "the first state is behind a ping", prepare: func(*pace) {}, states: []sent{{ms: 0, size: 1, ping: true}}},
		{name: "a peer that has never answered is not waited for", prepare: func(p *pace) { pinged(p, 1, 0, at(0)) },
			states: []sent{{ms: 10, size: 1e6}, {ms: 1000, size: 1}, {ms: 60_000, size: 1}}},
		{name: "small states rest for half a second", prepare: func(p *pace) { pinged(p, 1, 100, at(0)); p.answered(1, at(1)) },
			states: []sent{{ms: 30, size: 100}, {ms: 499, size: 100}, {ms: 500, size: 100, ping: true}}},
		{name: "large states are each behind a ping", prepare: func(p *pace) { pinged(p, 1, paceSize, at(0)); p.answered(1, at(1)) },
			states: []sent{{ms: 19, size: 1e6}, {ms: 20, size: 1e6, ping: true}}},
		{name: "an answer is overdue after 30 ms", prepare: func(p *pace) { pinged(p, 1, 0, at(-1000)); p.answered(1, at(-999)); pinged(p, 2, 0, at(0)) },
			states: []sent{{ms: 30, size: 1e6}, {ms: 31, size: 1, hold: true}, {ms: 5000, size: 1, hold: true}}},
		{name: "or after two round trips", prepare: func(p *pace) { pinged(p, 1, 0, at(-1000)); p.answered(1, at(-900)); pinged(p, 2, 0, at(0)) },
			states: []sent{{ms: 200, size: 1e6}, {ms: 201, size: 1, hold: true}}},
		{name: "but not while nobody reads", away: true,
			prepare: func(p *pace) { pinged(p, 1, 0, at(-1000)); p.answered(1, at(-999)); pinged(p, 2, 0, at(0)) },
			states:  []sent{{ms: 31, size: 1}, {ms: 5000, size: 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := new(pace)
			tt.prepare(p)
			for _, s := range tt.states {
				ping, hold := p.decide(s.size, at(s.ms), !tt.away)
				if ping != s.ping || hold != s.hold || p.isHeld() != s.hold {
					t.Errorf("after %d ms: ping %v, hold %v; want %v, %v", s.ms, ping, hold, s.ping, s.hold)
				}
			}
		})
	}
}

// pinged sends a ping before a state of size bytes.
func pinged(p *pace, id uint64, size int, now time.Time) {
	p.sendPing(size, now, func() (uint64, bool) { return id, true })
}

// TestPaceLearnsThePath: a shorter round trip counts at once, a longer one gradually, and a stall hardly.
func TestPaceLearnsThePath(t *testing.T) {
	p, now, id := new(pace), time.Now(), uint64(0)
	trips := func(n int, trip time.Duration) time.Duration {
		for range n {
			id++
			pinged(p, id, 0, now)
			now = now.Add(trip)
			p.answered(id, now)
		}
		return p.roundTrip
	}
	if trip := trips(1, 80*time.Millisecond); trip != 80*time.Millisecond {
		t.Errorf("the first: %v", trip)
	}
	if trip := trips(1, 10*time.Millisecond); trip != 10*time.Millisecond {
		t.Errorf("a shorter one: %v", trip)
	}
	if trip := trips(1, time.Minute); trip > 15*time.Millisecond {
		t.Errorf("after a minute's stall: %v", trip)
	}
	if trip := trips(100, 200*time.Millisecond); trip < 190*time.Millisecond || trip > 200*time.Millisecond {
		t.Errorf("after a hundred longer ones: %v", trip)
	}
	if before, _ := p.answered(id-1, now); before {
		t.Error("an older ping is taken for this one")
	}
	if again, _ := p.answered(id, now); again {
		t.Error("a ping is answered twice")
	}
}

// paced returns both ends of a connection in memory whose pipe buffers a megabyte, as a peer's kernel may. Call it in a bubble.
func paced(t *testing.T, change ...func(*settings)) (client, server *Conn) {
	t.Helper()
	a, b := pipe.New(1 << 20)
	set := newSettings(0, 0, 0, 0)
	for _, f := range change {
		f(&set)
	}
	client = newConn(transport.New(a), frame.Client, "", set, nil, nil)
	server = newConn(transport.New(b), frame.Server, "", set, nil, nil)
	t.Cleanup(func() { _ = client.CloseNow(); _ = server.CloseNow() })
	return client, server
}

// largeState returns a state whose text begins with its number.
func largeState(t *testing.T, i int) *Prepared {
	return prepare(t, Text, fmt.Sprintf("%06d%*s", i, paceSize, ""))
}

// sendStates sends states at 30 Hz.
func sendStates(t *testing.T, c *Conn, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		p, err := Prepare(Text, fmt.Appendf(nil, "%06d%*s", i, paceSize, ""))
		if err = errors.Join(err, c.SendLatest(bg, "state", p)); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second / 30)
	}
}

// readNumbers reads states until one has a number.
func readNumbers(t *testing.T, c *Conn, last int) (numbers []int) {
	t.Helper()
	for {
		_, p, err := c.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		var i int
		_, _ = fmt.Sscanf(string(p[:min(6, len(p))]), "%d", &i)
		if numbers = append(numbers, i); i == last {
			return numbers
		}
	}
}

// TestStatesWaitForAPeerThatDoesNotRead, and the newest is sent when it does.
func TestStatesWaitForAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := paced(t)
		server.CloseRead(bg)
		go sendStates(t, server, 0, 30)
		if got := readNumbers(t, client, 29); len(got) != 30 {
			t.Errorf("a peer that reads gets %v", got)
		}
		time.Sleep(time.Second)
		sendStates(t, server, 30, 180) // it stalls for five seconds
		if s := server.Stats(); s.Replaced != 150-2 || s.Pending == 0 {
			t.Errorf("%+v", s)
		}
		if got := readNumbers(t, client, 179); !slices.Equal(got, []int{30, 179}) {
			t.Errorf("it gets %v", got)
		}
		synctest.Wait()
		if s := server.Stats(); s.Pending != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestStatesDoNotWaitForAnAnswerThatNobodyCanGiveOrRead(t *testing.T) {
	all := func(t *testing.T, s Stats, n int64) {
		t.Helper()
		if s.MessagesOut != n || s.Replaced != 0 || s.Pending != 0 {
			t.Errorf("%+v", s)
		}
	}
	t.Run("nobody reads from this connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, server := paced(t)
			sendStates(t, server, 0, 20)
			all(t, server.Stats(), 20)
		})
	})
	t.Run("the peer answers no ping", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, b := pipe.New(1 << 20)
			server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
			defer server.CloseNow()
			server.CloseRead(bg)
			go func() { _, _ = io.Copy(io.Discard, a) }()
			sendStates(t, server, 0, 20)
			all(t, server.Stats(), 20)
		})
	})
	t.Run("a callback sends them", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, server := paced(t)
			sent := make(chan bool)
			go server.Serve(bg, func(c *Conn, m Message) error {
				sendStates(t, c, 0, 50) // in 1.7 seconds: it counts as reading for one
				close(sent)
				return nil
			})
			_ = client.Write(bg, Text, nil)
			<-sent
			if s := server.Stats(); s.Pending != 0 || s.MessagesOut < 20 || s.MessagesOut+s.Replaced != 50 {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("MaxUnsent is negative", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, server := paced(t, func(s *settings) { *s = s.unsent(-1) })
			server.CloseRead(bg)
			go sendStates(t, server, 0, 20)
			readNumbers(t, client, 19)
			sendStates(t, server, 20, 40)
			all(t, server.Stats(), 40)
			if n := server.Stats().ControlOut; n != 0 {
				t.Errorf("%d pings", n)
			}
		})
	})
}

// heldBack returns a connection whose peer does not read, and which holds a state back.
func heldBack(t *testing.T) (client, server *Conn, endRead context.CancelFunc) {
	t.Helper()
	client, server = paced(t)
	ctx, endRead := context.WithCancel(bg)
	server.CloseRead(ctx)
	go sendStates(t, server, 0, 5)
	readNumbers(t, client, 4)
	time.Sleep(time.Second)
	sendStates(t, server, 5, 10)
	if server.Stats().Pending == 0 {
		t.Fatal("no state waits")
	}
	return client, server, endRead
}

// TestAStateThatWaitsIsSent before other messages, in order; when no goroutine reads any more; and before the close frame.
func TestAStateThatWaitsIsSent(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(t *testing.T, server *Conn, endRead func())
		want []int
	}{
		{"before a message of Write", func(t *testing.T, c *Conn, _ func()) { _ = c.Write(bg, Text, []byte("000099")) }, []int{5, 9, 99}},
		{"before a message of Send", func(t *testing.T, c *Conn, _ func()) { _ = c.Send(bg, largeState(t, 99)) }, []int{5, 9, 99}},
		{"before a prepared message", func(t *testing.T, c *Conn, _ func()) { _ = c.WritePrepared(bg, largeState(t, 99)) }, []int{5, 9, 99}},
		{"by Flush", func(t *testing.T, c *Conn, _ func()) { _ = c.Flush(bg) }, []int{5, 9}},
		{"when nobody reads any more", func(t *testing.T, c *Conn, endRead func()) { endRead(); time.Sleep(2 * paceCheckInterval) }, []int{5, 9}},
		{"before the close frame", func(t *testing.T, c *Conn, _ func()) { go c.Close(StatusGoingAway, "") }, []int{5, 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server, endRead := heldBack(t)
				defer endRead()
				tt.send(t, server, endRead)
				synctest.Wait()
				if s := server.Stats(); s.Pending != 0 {
					t.Errorf("%+v", s)
				}
				if got := readNumbers(t, client, tt.want[len(tt.want)-1]); !slices.Equal(got, tt.want) {
					t.Errorf("%v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestWaitDrained waits for the peer to read, unless its context or the connection ends.
func TestWaitDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, endRead := heldBack(t)
		defer endRead()
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		defer cancel()
		if err := server.WaitDrained(ctx); err != context.DeadlineExceeded {
			t.Errorf("its context ended: %v", err)
		}
		if err := server.WaitDrained(ctx); err != context.DeadlineExceeded {
			t.Errorf("its context had ended: %v", err)
		}
		drained := make(chan error, 2)
		go func() { drained <- server.WaitDrained(bg) }()
		go func() { drained <- server.WaitDrained(bg) }()
		synctest.Wait()
		if len(drained) != 0 {
			t.Error("it does not wait")
		}
		readNumbers(t, client, 9)
		for range 2 {
			if err := <-drained; err != nil {
				t.Error(err)
			}
		}
		if err := server.WaitDrained(bg); err != nil {
			t.Errorf("with nothing queued: %v", err)
		}
		endRead()
	})
	synctest.Test(t, func(t *testing.T) {
		_, server, endRead := heldBack(t)
		defer endRead()
		drained := make(chan error, 1)
		go func() { drained <- server.WaitDrained(bg) }()
		synctest.Wait()
		_ = server.CloseNow()
		if err := <-drained; CloseStatus(err) != StatusAbnormal {
			t.Errorf("the connection ended: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		client, server := paced(t)
		got := make(chan error, 1)
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(bg, func(c *Conn, _ Message) error { got <- c.WaitDrained(bg); return nil })
		}()
		_ = client.Write(bg, Text, nil)
		if err := <-got; err != ErrInCallback {
			t.Errorf("in a callback: %v", err)
		}
		_ = client.CloseNow()
		<-served // the bubble may not end before it
	})
}

// TestAPeerThatStopsAnsweringGetsTheNewestAfterAWhile: as long as keepalive would wait for an answer. Keepalive is off here, or it would
// end the connection then.
func TestAPeerThatStopsAnsweringGetsTheNewestAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 20)
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		defer server.CloseNow()
		server.CloseRead(bg)
		answers, got := 3, 0
		var mu sync.Mutex
		go frames(a, func(op frame.Opcode, p []byte) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case op == frame.Ping && answers > 0:
				answers--
				_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Pong}, string(p)))
			case op == frame.Text:
				_, _ = fmt.Sscanf(string(p[:6]), "%d", &got)
			}
		})
		sendStates(t, server, 0, 30)
		if s := server.Stats(); s.Pending == 0 {
			t.Fatalf("no state is held back: %+v", s)
		}
		time.Sleep(DefaultPingInterval + DefaultPongTimeout + 2*paceCheckInterval)
		mu.Lock()
		last := got
		mu.Unlock()
		if s := server.Stats(); last != 29 || s.Pending != 0 {
			t.Errorf("the last is %d; %+v", last, s)
		}
		sendStates(t, server, 30, 60) // none is held back any more
		if s := server.Stats(); s.Pending != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestPongsDoNotTakeStatesAlong: a client that does not read may send pings all the same.
func TestPongsDoNotTakeStatesAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, endRead := heldBack(t)
		defer endRead()
		for range 20 {
			client.sendPing(nil)
			client.send.tryFlush()
			sendStates(t, server, 5, 6)
		}
		if got := readNumbers(t, client, 5); !slices.Equal(got, []int{5}) && len(got) > 2 {
			t.Errorf("%v", got)
		}
		if s := server.Stats(); s.Replaced < 20 || s.ControlOut < 20 {
			t.Errorf("%+v", s)
		}
	})
}

// TestWaitDrainedWritesNothing itself: over TLS alone a write that is cancelled would cost the connection.
func TestWaitDrainedWritesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind, func(s *settings) { *s = s.queueing(64<<20, CloseWhenFull) })
			big := prepare(t, Binary, string(make([]byte, 16<<20)))
			for range 5 {
				if err := server.SendLatest(bg, "state", big); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
				err := server.WaitDrained(ctx)
				cancel()
				if err != context.DeadlineExceeded {
					t.Fatalf("%v", err)
				}
			}
			drained := make(chan error, 1)
			go func() { drained <- server.WaitDrained(bg) }()
			client.in.limit.Store(0)
			go client.Serve(bg, func(*Conn, Message) error { return nil })
			if err := <-drained; err != nil || server.Stats().Pending != 0 {
				t.Errorf("%v, %+v", err, server.Stats())
			}
		})
	}
}

// TestASendThatIsCancelledCostsNoConnection, with BlockWhenFull, on any transport.
func TestASendThatIsCancelledCostsNoConnection(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind, func(s *settings) { *s = s.queueing(1<<20, BlockWhenFull) })
			p := prepare(t, Binary, string(make([]byte, 4<<20)))
			cancelled := 0
			for range 8 {
				ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
				if err := server.Send(ctx, p); err == context.DeadlineExceeded {
					cancelled++
				} else if err != nil {
					t.Fatal(err)
				}
				cancel()
			}
			if cancelled < 4 {
				t.Errorf("%d sends were cancelled", cancelled)
			}
			client.in.limit.Store(0)
			go client.Serve(bg, func(*Conn, Message) error { return nil })
			if err := server.WaitDrained(bg); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAStateAboveTheLimitPassesWhereNothingWaits: our own ping before it does not count.
func TestAStateAboveTheLimitPassesWhereNothingWaits(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind)
			client.in.limit.Store(0)
			go client.Serve(bg, func(*Conn, Message) error { return nil })
			server.CloseRead(bg)
			for range 3 {
				if err := server.SendLatest(bg, "state", prepare(t, Binary, string(make([]byte, DefaultQueueLimit+1)))); err != nil {
					t.Fatal(err)
				}
				if err := server.WaitDrained(bg); err != nil {
					t.Fatal(err)
				}
				time.Sleep(paceMinInterval)
			}
		})
	}
}

// TestWaitDrainedWaitsForAStream, behind which states are queued.
func TestWaitDrainedWaitsForAStream(t *testing.T) {
	client, server := pair(t, "tls")
	go client.Serve(bg, func(*Conn, Message) error { return nil })
	w, err := server.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("streamed"))
	if err := server.SendLatest(bg, "state", prepare(t, Text, "x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
	defer cancel()
	if err := server.WaitDrained(ctx); err != context.DeadlineExceeded {
		t.Errorf("while the stream goes on: %v", err)
	}
	drained := make(chan error, 1)
	go func() { drained <- server.WaitDrained(bg) }()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-drained; err != nil || server.Stats().Pending != 0 {
		t.Errorf("%v, %+v", err, server.Stats())
	}
}
