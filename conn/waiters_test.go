package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// waiting returns how many writers wait until somebody has sent their frames.
func (s *sender) waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := s.waiters.first; w != nil; w = w.next {
		n++
	}
	return n
}

// TestWritersOutliveTheirLeader: whose frames somebody was sending, who gave up, waits until
// they have left all the same.
func TestWritersOutliveTheirLeader(t *testing.T) {
	peer, end := pipe.New(1) // which takes next to nothing as long as nobody reads
	server := newConn(transport.New(end), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
	defer server.CloseNow()
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	if ok, err := server.send.lock(ctx); !ok {
		t.Fatal(err)
	}
	const n = 8
	var left atomic.Int32
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := server.Write([]context.Context{bg, ctx}[i%2], Binary, []byte{byte(i)}); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
			left.Add(1)
		})
	}
	for server.send.waiting() < n {
		time.Sleep(time.Millisecond)
	}
	gone, stop := context.WithCancel(bg)
	stop()
	err := server.send.sendAll(gone)
	if e, later := resumable(err); !later || e.Pending == 0 {
		t.Fatalf("flush without a reader: %v", err)
	}
	server.send.unlock()
	time.Sleep(10 * time.Millisecond)
	if got := left.Load(); got > 0 {
		t.Errorf("%d writers returned although nothing has left", got)
	}
	client := newConn(transport.New(peer), frame.Client, "", newSettings(0, 0, 0, 0), nil, nil)
	defer client.CloseNow()
	var seen [n]bool
	for range n {
		_, p, err := client.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen[p[0]] = true
	}
	wg.Wait()
	if seen != [n]bool{true, true, true, true, true, true, true, true} {
		t.Errorf("of %d messages came %v", n, seen)
	}
}

// TestAWriterThatWaitsWhileItsFrameIsSent is not taken for one whose frame is buffered: another is woken to send that.
func TestAWriterThatWaitsWhileItsFrameIsSent(t *testing.T) {
	client, server := pair(t, "pipe")
	if ok, err := server.send.lock(bg); !ok {
		t.Fatal(err)
	}
	server.send.mu.Lock()
	e, err := server.send.outbox.Append(frame.Binary, []byte("early"), false)
	b := server.send.outbox.Collect()
	server.send.mu.Unlock()
	if err != nil || b.End != e.End {
		t.Fatalf("collected up to %d of %d, %v", b.End, e.End, err)
	}
	var wg sync.WaitGroup
	for i, follow := range []func() error{
		func() error { return server.send.flushTo(bg, e.End) },
		func() error { return server.Write(bg, Binary, []byte("late")) },
	} {
		wg.Go(func() {
			if err := follow(); err != nil {
				t.Error(err)
			}
		})
		for server.send.waiting() < i+1 {
			time.Sleep(time.Millisecond)
		}
	}
	if err := server.send.sendBatch(bg, b); err != nil {
		t.Fatal(err)
	}
	server.send.sent.Store(e.End)
	server.send.unlock()
	ctx, cancel := context.WithTimeout(bg, patience)
	defer cancel()
	for _, want := range []string{"early", "late"} {
		if _, p, err := client.Read(ctx); string(p) != want || err != nil {
			t.Fatalf("read %q, %v; want %q", p, err, want)
		}
	}
	wg.Wait()
}

// TestManyWritersThatGiveUp: each message arrives once if its writer was told so or
// was interrupted, and never if it was taken back; no writer is left waiting, and none is told
// to give up that does not.
func TestManyWritersThatGiveUp(t *testing.T) {
	for _, kind := range kinds[:3] {
		client, server := pair(t, kind)
		const writers, each = 24, 300
		var fates [writers * each]atomic.Int32 // 1: sent, 2: taken back
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					id := i*each + j
					ctx, cancel := bg, func() {}
					if i%3 > 0 {
						ctx, cancel = context.WithTimeout(bg, time.Duration(rand.IntN(300))*time.Microsecond)
					}
					err := server.Write(ctx, Binary, binary.BigEndian.AppendUint32(nil, uint32(id)))
					cancel()
					_, later := resumable(err)
					switch {
					case err == nil, later && i%3 > 0:
						fates[id].Store(1)
					case errors.Is(err, context.DeadlineExceeded) && i%3 > 0:
						fates[id].Store(2)
					default:
						t.Errorf("%s: %v", kind, err)
						return
					}
				}
			})
		}
		seen := make([]bool, writers*each)
		read := make(chan error, 1)
		go func() {
			read <- client.Serve(bg, func(_ *Conn, m Message) error {
				id := binary.BigEndian.Uint32(m.Data)
				if seen[id] {
					t.Errorf("%s: message %d came twice", kind, id)
				}
				seen[id] = true
				return nil
			})
		}()
		wg.Wait()
		if err := server.Close(StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
		sent := 0
		for id := range fates {
			if fate := fates[id].Load(); seen[id] != (fate == 1) {
				t.Fatalf("%s: message %d: arrived %v, fate %d", kind, id, seen[id], fate)
			} else if fate == 1 {
				sent++
			}
		}
		if got := server.Stats().MessagesOut; got != int64(sent) {
			t.Errorf("%s: %d counted, %d sent", kind, got, sent)
		}
		t.Logf("%s: %d sent, %d taken back", kind, sent, writers*each-sent)
	}
}

// TestWaitersLearnOfTheEnd at once, without contexts of their own.
func TestWaitersLearnOfTheEnd(t *testing.T) {
	peer, server := raw(t, "plain")
	fill(t, server)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			ctx := bg
			if i%2 == 0 {
				ctx = server.Context()
			}
			if err := server.Write(ctx, Text, []byte("never")); CloseStatus(err) != StatusAbnormal {
				t.Errorf("got %v", err)
			}
		})
	}
	for server.send.waiting() < 9 {
		time.Sleep(time.Millisecond)
	}
	_ = server.CloseNow()
	wg.Wait()
	_ = peer.Close()
}

// TestWaitersStayWithTheirConnection: what was made in a bubble of testing/synctest to wait
// for must not be met outside.
func TestWaitersStayWithTheirConnection(t *testing.T) {
	meet := func(t *testing.T) {
		client, server := pair(t, "pipe")
		done := echo(server)
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		var writers sync.WaitGroup
		const n, each = 8, 20
		if !client.send.token.TryLock() {
			t.Fatal("somebody else is sending")
		}
		for i := range n {
			writers.Go(func() {
				for range each {
					if err := client.Write([]context.Context{bg, ctx}[i%2], Binary, make([]byte, 1000)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for client.send.waiting() < n {
			time.Sleep(time.Millisecond)
		}
		client.send.unlock()
		for range n * each {
			if _, _, err := client.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		writers.Wait()
		client.send.mu.Lock()
		kept := client.send.waiters.spare != nil || client.send.waiters.returned.Load() != nil
		client.send.mu.Unlock()
		if client.send.waiting() != 0 || !kept {
			t.Errorf("%d wait still, or nothing is kept for the next", client.send.waiting())
		}
		client.send.forgetWaiters()
		if l := &client.send.waiters; l.spare != nil || l.returned.Load() != nil {
			t.Error("silence does not free what is kept")
		}
		_ = client.CloseNow()
		<-done
	}
	for range 5 {
		synctest.Test(t, meet)
		meet(t)
	}
}

// TestSpareWaitersAreBounded: of many that were given back some are kept.
func TestSpareWaitersAreBounded(t *testing.T) {
	var l waiters
	for range 3 * maxSpare {
		l.giveBack(&waiter{woken: make(chan struct{}, 1)})
	}
	first := l.take()
	n := 1
	for w := l.spare; w != nil; w = w.next {
		n++
	}
	if n != maxSpare {
		t.Errorf("%d kept", n)
	}
	l.giveBack(first)
	if l.take() == first || l.returned.Load() != first {
		t.Error("what was given back is used before what is kept")
	}
}

// TestWhichWaitersAreWoken: those whose frames were sent, and the first of the others.
func TestWhichWaitersAreWoken(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent int64
		want []int64
	}{
		{"nothing was sent", 0, []int64{1}},
		{"some was sent", 2, []int64{1, 2, 5}},
		{"all but the last was sent", 5, []int64{1, 2, 5, 6}},
		{"all was sent", 6, []int64{1, 2, 5, 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l waiters
			var all []*waiter
			for _, end := range []int64{1, 2, 5, 6} {
				all = append(all, l.add(end))
			}
			l.takeSent(tt.sent).wake()
			var got, waiting []int64
			for _, w := range all {
				if len(w.woken) > 0 {
					got = append(got, w.end)
				}
			}
			for w := l.first; w != nil; w = w.next {
				waiting = append(waiting, w.end)
			}
			if !slices.Equal(got, tt.want) || len(got)+len(waiting) != len(all) || l.any.Load() != (len(waiting) > 0) {
				t.Errorf("woken %v, want %v; waiting %v", got, tt.want, waiting)
			}
		})
	}
}

// TestAWaiterIsWokenAlthoughWhoeverGotTheTokenGaveUp at the same moment.
func TestAWaiterIsWokenAlthoughWhoeverGotTheTokenGaveUp(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			peer, end := pipe.New(1 << 16)
			server := newConn(transport.New(end), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
			if ok, err := server.send.lock(bg); !ok {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(bg)
			done := make(chan error, 2)
			go func() { done <- server.Flush(ctx) }()
			go func() { done <- server.Write(bg, Text, []byte("waits")) }()
			synctest.Wait()
			cancel()
			server.send.unlock()
			for range 2 {
				select {
				case err := <-done:
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				case <-time.After(time.Hour):
					t.Fatal("the message waits although nobody sends")
				}
			}
			_ = server.CloseNow()
			_ = peer.Close()
		})
	}
}
