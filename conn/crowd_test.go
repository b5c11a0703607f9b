package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

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
