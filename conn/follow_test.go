package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// TestACrowdOfWritersThatGiveUp: each message arrives once if its writer was told so or
// was interrupted, and never if it was taken back; nobody is left waiting, and nobody is told
// to give up that does not.
func TestACrowdOfWritersThatGiveUp(t *testing.T) {
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

// following returns how many writers wait until somebody has sent their frames.
func (c *Conn) following() (n int) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.following.crowd.Load()
	if w == nil {
		return 0
	}
	for f := w.first; f != nil; f = f.next {
		n++
	}
	for t := w.leaving; t != nil; t = t.next {
		n += t.n
	}
	if w.gathering != nil {
		n += w.gathering.n
	}
	return n
}

// TestFollowersLearnOfTheEnd at once, without contexts of their own.
func TestFollowersLearnOfTheEnd(t *testing.T) {
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
	for server.following() < 9 {
		time.Sleep(time.Millisecond)
	}
	_ = server.CloseNow()
	wg.Wait()
	_ = peer.Close()
}

// TestWritersOutliveTheirLeader: whose frames somebody was sending, who gave up, waits until
// they have left all the same.
func TestWritersOutliveTheirLeader(t *testing.T) {
	peer, end := pipe.New(1) // which takes next to nothing as long as nobody reads
	server := newConn(newTransport(end), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
	defer server.CloseNow()
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	if ok, err := server.takeWrite(ctx); !ok {
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
	for server.following() < n {
		time.Sleep(time.Millisecond)
	}
	gone, stop := context.WithCancel(bg)
	stop()
	err := server.flush(gone)
	if e, later := resumable(err); !later || e.Pending == 0 {
		t.Fatalf("flush without a reader: %v", err)
	}
	server.unlockWrite()
	time.Sleep(10 * time.Millisecond)
	if got := left.Load(); got > 0 {
		t.Errorf("%d writers returned although nothing has left", got)
	}
	client := newConn(newTransport(peer), frame.Client, "", newSettings(0, 0, 0, 0), nil, nil)
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

// TestAWriterThatSleepsWhileItsFrameLeaves is not taken for one whose frame gathers: that it is
// woken sends nothing.
func TestAWriterThatSleepsWhileItsFrameLeaves(t *testing.T) {
	client, server := pair(t, "pipe")
	if ok, err := server.takeWrite(bg); !ok {
		t.Fatal(err)
	}
	server.out.mu.Lock()
	h := frame.Header{Fin: true, Opcode: frame.Binary, Length: 5}
	g, err := server.put(&h, []byte("early"), false)
	server.out.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	b, _, seq, _ := server.collect()
	if seq != g.seq {
		t.Fatalf("collected up to %d of %d", seq, g.seq)
	}
	var wg sync.WaitGroup
	for i, follow := range []func() error{
		func() error { _, err := server.followAsleep(seq); return err },
		func() error { return server.Write(bg, Binary, []byte("late")) },
	} {
		wg.Go(func() {
			if err := follow(); err != nil {
				t.Error(err)
			}
		})
		for server.following() < i+1 {
			time.Sleep(time.Millisecond)
		}
	}
	if err := server.give(bg, b, nil); err != nil {
		t.Fatal(err)
	}
	server.out.sent.Store(seq)
	server.unlockWrite()
	ctx, cancel := context.WithTimeout(bg, 10*time.Second)
	defer cancel()
	for _, want := range []string{"early", "late"} {
		if _, p, err := client.Read(ctx); string(p) != want || err != nil {
			t.Fatalf("read %q, %v; want %q", p, err, want)
		}
	}
	wg.Wait()
}

// TestFollowersStayWithTheirConnection: what was made in a bubble of testing/synctest to wait
// for must not be met outside.
func TestFollowersStayWithTheirConnection(t *testing.T) {
	crowd := func(t *testing.T) {
		client, server := pair(t, "pipe")
		done := echo(server)
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		var writers sync.WaitGroup
		const n, each = 8, 20
		o := &client.out
		if !o.tok.try() {
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
		for client.following() < n {
			time.Sleep(time.Millisecond)
		}
		client.unlockWrite()
		for range n * each {
			if _, _, err := client.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		writers.Wait()
		w := o.following.crowd.Load()
		if w == nil || client.following() != 0 || w.kept.Load() == 0 || w.kept.Load() > maxSpare {
			t.Errorf("some are still in the crowd, or nothing or too much is kept: %+v", w)
		}
		if o.forgetCrowd(); o.following.crowd.Load() != nil {
			t.Error("silence does not free what they left")
		}
		_ = client.CloseNow()
		<-done
	}
	for range 5 {
		synctest.Test(t, crowd)
		crowd(t)
	}
}
