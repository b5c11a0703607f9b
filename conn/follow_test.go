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
)

// TestACrowdOfWritersThatGiveUp: each message arrives once if its writer was told so or
// was interrupted, and never if it was taken back; nobody is left waiting.
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
					ctx, cancel := context.WithTimeout(bg, time.Duration(rand.IntN(300))*time.Microsecond)
					err := server.Write(ctx, Binary, binary.BigEndian.AppendUint32(nil, uint32(id)))
					cancel()
					_, later := resumable(err)
					switch {
					case err == nil, later:
						fates[id].Store(1)
					case errors.Is(err, context.DeadlineExceeded):
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
	for waiting := 0; waiting < 9; time.Sleep(time.Millisecond) {
		server.out.mu.Lock()
		waiting = 0
		for f := server.out.following.first; f != nil; f = f.next {
			waiting++
		}
		server.out.mu.Unlock()
	}
	_ = server.CloseNow()
	wg.Wait()
	_ = peer.Close()
}

// TestFollowersStayWithTheirConnection: a channel that was made in a bubble of
// testing/synctest must not be met outside.
func TestFollowersStayWithTheirConnection(t *testing.T) {
	crowd := func(t *testing.T) {
		client, server := pair(t, "pipe")
		done := echo(server)
		var writers sync.WaitGroup
		const n, each = 8, 20
		for range n {
			writers.Go(func() {
				for range each {
					if err := client.Write(bg, Binary, make([]byte, 1000)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range n * each {
			if _, _, err := client.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		writers.Wait()
		f := &client.out.following
		if n := f.kept.Load(); f.first != nil || n > maxSpare {
			t.Errorf("%d followers to spare, or some enrolled", n)
		}
		if client.out.forgetSpare(); f.spare.Load() != nil || f.kept.Load() != 0 {
			t.Error("silence does not free the spare ones")
		}
		_ = client.CloseNow()
		<-done
	}
	for range 5 {
		synctest.Test(t, crowd)
		crowd(t)
	}
}
