package conn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/race"
)

// TestSendKeepsTheOrder of everything that one goroutine sends, by whatever way, for
// both roles on every transport, compressed or not.
func TestSendKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, params := range []handshake.DeflateParams{
			{}, {ServerMaxWindowBits: 9, ClientMaxWindowBits: 15},
			{ServerMaxWindowBits: 15, ClientMaxWindowBits: 12, ServerNoContextTakeover: true, ClientNoContextTakeover: true},
		} {
			client, server := compressedPair(t, kind, params, Compression{Threshold: -1})
			for name, side := range map[string][2]*Conn{"server": {server, client}, "client": {client, server}} {
				t.Run(fmt.Sprintf("%s, %s, %v", kind, name, params.ServerMaxWindowBits), func(t *testing.T) {
					keepsOrder(t, side[0], side[1])
				})
			}
		}
	}
}

func keepsOrder(t *testing.T, from, to *Conn) {
	sizes := []int{0, 1, 200, 200, 5000, 20_000, 70_000, 300_000, 3}
	text := func(i int) string {
		return fmt.Sprint(i, strings.Repeat(" and so on", sizes[i%len(sizes)]/10))
	}
	const rounds = 36 // a multiple of the six messages below
	sent := make(chan error, 1)
	go func() {
		sent <- func() error {
			for i := 0; i < rounds; {
				p, q := prepare(t, Text, text(i)), prepare(t, Text, text(i+1))
				if err := from.Send(bg, p, q); err != nil {
					return err
				}
				i += 2
				if err := from.Write(bg, Text, []byte(text(i))); err != nil {
					return err
				}
				i++
				if err := from.WritePrepared(bg, prepare(t, Text, text(i))); err != nil {
					return err
				}
				i++
				w, err := from.Writer(bg, Text)
				if err != nil {
					return err
				}
				_, _ = w.Write([]byte(text(i)))
				if err := errors.Join(from.Send(bg, prepare(t, Text, text(i+1))), w.Close()); err != nil {
					return err
				}
				i += 2
			}
			return nil
		}()
	}()
	for i := range rounds {
		typ, p, err := to.Read(bg)
		if err != nil || typ != Text || string(p) != text(i) {
			t.Fatalf("message %d: %v, %.60q, %v", i, typ, p, err)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if n := from.Stats(); n.MessagesOut < rounds || n.Dropped != 0 {
		t.Errorf("%+v", n)
	}
}

// TestAPeerThatNeverReads costs its queue limit, and what the policy says happens.
func TestAPeerThatNeverReads(t *testing.T) {
	t.Parallel()
	const limit = 1 << 18
	for _, kind := range kinds {
		p := prepare(t, Binary, strings.Repeat("x", 1000))
		t.Run("close, "+kind, func(t *testing.T) {
			t.Parallel()
			_, server := raw(t, kind, func(s *settings) { *s = s.queueing(limit, CloseWhenFull); s.closeTimeout = 50 * time.Millisecond })
			var err error
			for err == nil {
				err = server.Send(bg, p)
				if n := server.Stats().Pending; n > 2*limit {
					t.Fatalf("%d bytes wait", n)
				}
			}
			if !errors.Is(err, ErrQueueFull) || CloseStatus(err) != StatusTryAgainLater {
				t.Errorf("got %v", err)
			}
			<-server.Context().Done()
			if err := server.Write(bg, Text, nil); !errors.Is(err, ErrQueueFull) {
				t.Errorf("afterwards: %v", err)
			}
			if n := server.Stats(); n.Dropped == 0 {
				t.Errorf("%+v", n)
			}
		})
		t.Run("close, and reads after all, "+kind, func(t *testing.T) {
			t.Parallel()
			client, server := pair(t, kind, func(s *settings) { *s = s.queueing(limit, CloseWhenFull) })
			for server.Send(bg, p) == nil {
			}
			got := make(chan error, 1)
			go func() { got <- client.Serve(bg, func(*Conn, Message) error { return nil }) }()
			_, _, err := server.Read(bg)
			if !errors.Is(err, ErrQueueFull) || CloseStatus(err) != StatusTryAgainLater {
				t.Errorf("got %v", err)
			}
			if err := <-got; CloseStatus(err) != StatusTryAgainLater {
				t.Errorf("the peer got %v", err)
			}
		})
		t.Run("drop, "+kind, func(t *testing.T) {
			t.Parallel()
			peer, server := raw(t, kind, func(s *settings) { *s = s.queueing(limit, DropWhenFull) })
			sent, dropped := 0, int64(0)
			for dropped < 100 {
				switch err := server.Send(bg, p); err {
				case nil:
					sent++
				case ErrQueueFull:
					dropped++
				default:
					t.Fatal(err)
				}
			}
			if n := server.Stats(); n.Dropped != dropped || n.MessagesOut != int64(sent) || n.Pending > 2*limit {
				t.Errorf("%+v after %d", n, sent)
			}
			for range sent { // what was accepted arrives
				if h, _ := readFrame(t, peer); h.Length != 1000 {
					t.Fatalf("%+v", h)
				}
			}
			if err := server.Send(bg, p); err != nil {
				t.Errorf("with room again: %v", err)
			}
		})
		t.Run("block, "+kind, func(t *testing.T) {
			t.Parallel()
			peer, server := raw(t, kind, func(s *settings) { *s = s.queueing(limit, BlockWhenFull) })
			const total = 20_000
			sent := make(chan error, 1)
			go func() {
				for range total {
					if err := server.Send(bg, p); err != nil {
						sent <- err
						return
					}
				}
				sent <- nil
			}()
			for range total {
				readFrame(t, peer)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					if err := server.Send(bg, p); err != nil {
						sent <- err
						return
					}
				}
			}()
			// How much waits in the end depends on what the kernel takes meanwhile.
			for server.Stats().Pending == 0 {
				runtime.Gosched()
			}
			_ = server.CloseNow()
			if err := <-sent; CloseStatus(err) != StatusAbnormal {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// TestALongMessagePassesWhenNothingWaits although it exceeds the limit.
func TestALongMessagePassesWhenNothingWaits(t *testing.T) {
	client, server := pair(t, "tls", func(s *settings) { *s = s.queueing(1000, CloseWhenFull) })
	long := prepare(t, Binary, strings.Repeat("x", 500_000))
	for range 3 {
		if err := server.Send(bg, long); err != nil {
			t.Fatal(err)
		}
		if _, p, err := client.Read(bg); err != nil || len(p) != long.Len() {
			t.Fatalf("%d bytes, %v", len(p), err)
		}
		for server.Stats().Pending > 0 {
			runtime.Gosched()
		}
	}
}

// TestASlowPeerDoesNotHoldUpOthers, and one message is one piece of memory for all.
func TestASlowPeerDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	drop := func(s *settings) { *s = s.queueing(1<<20, DropWhenFull) }
	_, slow := raw(t, "tls", drop)
	client, quick := pair(t, "tls", drop)
	got := make(chan error, 1)
	const total = 30_000
	go func() {
		var buf []byte
		for range total {
			var err error
			if _, buf, err = client.ReadInto(bg, buf); err != nil {
				got <- err
				return
			}
		}
		got <- nil
	}()
	p := prepare(t, Text, strings.Repeat("x", 1000))
	for range total {
		for _, c := range []*Conn{slow, quick} {
			if err := c.Send(bg, p); err != nil && err != ErrQueueFull {
				t.Fatal(err)
			}
		}
		for quick.Stats().Pending > 1<<19 {
			runtime.Gosched()
		}
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if slow.Stats().Dropped == 0 || quick.Stats().Dropped != 0 {
		t.Errorf("slow: %+v, quick: %+v", slow.Stats(), quick.Stats())
	}
}

func TestCorkedMessagesShareARecord(t *testing.T) {
	for _, how := range []string{"together", "corked", "corked twice", "written"} {
		for end := time.Now().Add(patience); ; {
			n, took := sixteenMessages(t, how)
			if n <= 16*(2+int64(len("one of sixteen")))+2*22 { // a record costs 22 bytes
				break
			}
			// What is corked for longer than that is sent all the same.
			if took < corkLimit || time.Now().After(end) {
				t.Fatalf("%s: %d bytes for 16 messages, in %v", how, n, took)
			}
		}
	}
	client, server := pair(t, "plain")
	err := server.Cork(func() error { // which stays: it is sent all the same
		if err := server.Send(bg, prepare(t, Text, "forgotten")); err != nil {
			return err
		}
		_, m, err := client.Read(bg)
		if string(m) != "forgotten" {
			t.Errorf("%q", m)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	failed := errors.New("failed")
	if err := server.Cork(func() error { return failed }); err != failed {
		t.Errorf("Cork returns %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = server.Cork(func() error { panic("in Cork") })
	}()
	if server.send.cork.isOn() {
		t.Error("corked although the function has panicked")
	}
}

// sixteenMessages sends some messages, and returns the bytes that they took on the wire, and how long they were corked.
func sixteenMessages(t *testing.T, how string) (wire int64, took time.Duration) {
	t.Helper()
	client, server := pair(t, "tls")
	p := prepare(t, Text, "one of sixteen")
	before := server.Stats().WireOut
	batch := make([]*Prepared, 16)
	for i := range batch {
		batch[i] = p
	}
	sendAll := func() (err error) {
		for range batch {
			err = errors.Join(err, server.Send(bg, p))
		}
		return err
	}
	began := time.Now()
	var err error
	switch how {
	case "together":
		err = server.Send(bg, batch...)
	case "written":
		err = server.Cork(func() (err error) {
			for range batch {
				err = errors.Join(err, server.Write(bg, Text, []byte("one of sixteen")))
			}
			return err
		})
	case "corked":
		err = server.Cork(sendAll)
	case "corked twice":
		err = server.Cork(func() error { return server.Cork(sendAll) })
	}
	took = time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	for range batch {
		if _, m, err := client.Read(bg); err != nil || string(m) != "one of sixteen" {
			t.Fatalf("%s: %q, %v", how, m, err)
		}
	}
	return server.Stats().WireOut - before, took
}

// TestCloseBehindTheQueue: our own close lets what was sent leave first.
func TestCloseBehindTheQueue(t *testing.T) {
	client, server := pair(t, "tls")
	p := prepare(t, Binary, strings.Repeat("x", 10_000))
	for range 80 {
		if err := server.Send(bg, p); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- server.Close(StatusGoingAway, "") }()
	n := 0
	for _, err := range client.Messages(bg) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if err := <-closed; err != nil || n != 80 {
		t.Errorf("%d messages, %v", n, err)
	}
	if err := server.Send(bg, p); CloseStatus(err) != StatusGoingAway {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSendersAndWritersTogether loses nothing, and keeps each one's order.
func TestSendersAndWritersTogether(t *testing.T) {
	client, server := compressedPair(t, "tls", handshake.DeflateParams{ServerMaxWindowBits: 10, ClientMaxWindowBits: 10}, Compression{Threshold: 64},
		func(s *settings) { *s = s.queueing(1<<16, BlockWhenFull) })
	const senders, each = 8, 300
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				text := fmt.Sprintf("%d %d %s", i, j, strings.Repeat("padding ", (i*j)%400))
				var err error
				if (i+j)%2 == 0 {
					err = server.Send(bg, prepare(t, Text, text))
				} else {
					err = server.Write(bg, Text, []byte(text))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := make([]int, senders)
	for range senders * each {
		_, p, err := client.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		var i, j int
		if _, err := fmt.Sscan(string(p), &i, &j); err != nil || next[i] != j {
			t.Fatalf("%.20q, want %d of %d", p, next[i], i)
		}
		next[i]++
	}
	wg.Wait()
}

func TestSendDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	client, server := pair(t, "plain")
	p := prepare(t, Text, strings.Repeat("x", 256))
	var buf []byte
	ctx, cancel := context.WithTimeout(bg, patience)
	defer cancel()
	round := func() {
		if err := server.Send(bg, p); err != nil {
			t.Fatal(err)
		}
		var err error
		if _, buf, err = client.ReadInto(ctx, buf); err != nil {
			t.Fatal(err)
		}
	}
	round()
	if n := testing.AllocsPerRun(200, round); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
