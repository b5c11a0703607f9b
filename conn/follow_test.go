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

// TestWhoOfTheFollowersIsWoken: those whose frames have been sent, and the first of the others if somebody has to send.
func TestWhoOfTheFollowersIsWoken(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent int64
		lead bool // somebody sends
		want []int64
	}{
		{"nothing was sent, and somebody sends", 0, true, nil},
		{"nothing was sent, and nobody sends", 0, false, []int64{1}},
		{"some was sent, and somebody sends", 2, true, []int64{1, 2}},
		{"some was sent, and nobody sends", 2, false, []int64{1, 2, 5}},
		{"all was sent", 6, false, []int64{1, 2, 5, 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l followers
			var all []*follower
			for _, seq := range []int64{1, 2, 5, 6} {
				f := l.take()
				f.seq = seq
				l.add(f)
				all = append(all, f)
			}
			l.wakeFollowers(tt.sent, tt.lead)
			var got, waiting []int64
			for _, f := range all {
				if len(f.woken) > 0 {
					got = append(got, f.seq)
				}
			}
			for f := l.first; f != nil; f = f.next {
				waiting = append(waiting, f.seq)
			}
			if !slices.Equal(got, tt.want) || len(got)+len(waiting) != len(all) {
				t.Errorf("woken %v, want %v; waiting %v", got, tt.want, waiting)
			}
		})
	}
}
