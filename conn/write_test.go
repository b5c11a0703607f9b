package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
)

// TestWritersOnOneConnection: every message arrives whole, once, and in the order
// of its writer, while pings and long messages come between.
func TestWritersOnOneConnection(t *testing.T) {
	const writers, each = 16, 200
	for _, kind := range kinds {
		client, server := pair(t, kind)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					p := binary.BigEndian.AppendUint32(nil, uint32(i*each+j))
					if j%50 == 7 {
						p = append(p, make([]byte, 100_000)...)
					}
					if err := client.Write(bg, Binary, p); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		pinged := make(chan error, 1)
		ctx, cancel := context.WithCancel(bg)
		closed := client.CloseRead(ctx)
		go func() {
			_, err := client.Ping(bg)
			pinged <- err
		}()
		next := make([]int, writers)
		for range writers * each {
			_, p, err := server.Read(bg)
			if err != nil {
				t.Fatal(err)
			}
			n := int(binary.BigEndian.Uint32(p))
			if w := n / each; n%each != next[w] {
				t.Fatalf("%s: writer %d: message %d, want %d", kind, w, n%each, next[w])
			} else {
				next[w]++
			}
		}
		wg.Wait()
		read := make(chan struct{})
		go func() { defer close(read); _, _, _ = server.Read(bg) }()
		if err := <-pinged; err != nil {
			t.Error(err)
		}
		cancel()
		<-closed.Done()
		_ = client.CloseNow()
		<-read
	}
}

// TestWritesThatMeetShareRecords: while one write is in the kernel, others gather.
func TestWritesThatMeetShareRecords(t *testing.T) {
	peer, b := pipe.New(1 << 16) // holds 64 KiB, then the writer waits
	nc := &writeCounter{Conn: b}
	server := newConn(newTransport(nc), frame.Server, "", newSettings(0, 0, 0, 0), nil)
	defer server.CloseNow()
	defer peer.Close()
	blocked := make(chan error, 1)
	go func() { blocked <- server.Write(bg, Binary, make([]byte, 100_000)) }()
	for server.Stats().WireOut == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { _ = server.Write(bg, Binary, []byte("small")) })
	}
	gathered := func() int {
		server.out.mu.Lock()
		defer server.out.mu.Unlock()
		return len(server.out.buf)
	}
	for gathered() != 50*7 {
		time.Sleep(time.Millisecond)
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	if err := <-blocked; err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if got := server.Stats().MessagesOut; got != 51 {
		t.Errorf("%d messages out", got)
	}
	// One by one, each small message would have been a write of the pipe.
	if n := nc.writes.Load(); n > 4 {
		t.Errorf("%d writes for 51 messages", n)
	}
}

func TestCancelledWriteOfWhichNothingWasSentIsForgotten(t *testing.T) {
	for _, kind := range []string{"tls", "plain", "pipe"} {
		peer, server := raw(t, kind)
		fill(t, server)
		for range 10 {
			if err := server.Write(soon(t), Text, []byte("never sent")); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			} else if e, ok := errors.AsType[*InterruptedError](err); ok {
				t.Fatalf("%s: %v", kind, e)
			}
		}
		if err := server.Write(soon(t), Text, make([]byte, 100_000)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if h, _ := readFrame(t, peer); h.Length != fillSize {
			t.Fatalf("%s: a frame of %d", kind, h.Length)
		}
		if err := server.Write(bg, Text, []byte("last")); err != nil {
			t.Fatal(err)
		}
		if _, p := readFrame(t, peer); p != "last" {
			t.Errorf("%s: %q", kind, p)
		}
	}
}

const fillSize = 24 << 20

// fill leaves a message half sent to a peer that does not read.
func fill(t *testing.T, c *Conn) {
	t.Helper()
	p := make([]byte, fillSize)
	for i := range p {
		p[i] = byte(i * 7 >> 8)
	}
	err := c.Write(soon(t), Binary, p)
	e, ok := errors.AsType[*InterruptedError](err)
	if !ok || e.Closed || e.Pending == 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("write into a peer that does not read: %v", err)
	}
}

// TestCancelledWriteInsideAFrameKeepsItsOrder: the frame leaves whole, then what
// was written after it, with nobody waiting for either.
func TestCancelledWriteInsideAFrameKeepsItsOrder(t *testing.T) {
	for _, kind := range []string{"tls", "plain", "pipe"} {
		client, server := pair(t, kind, func(s *settings) { s.messageLimit = 0 })
		for _, c := range []struct{ from, to *Conn }{{server, client}, {client, server}} {
			fill(t, c.from)
			written := make(chan error, 1)
			go func() { written <- c.from.Write(bg, Text, []byte("behind")) }()
			_, p, err := c.to.Read(bg)
			if err != nil || len(p) != fillSize {
				t.Fatalf("%s: %d bytes, %v", kind, len(p), err)
			}
			for i := range p {
				if p[i] != byte(i*7>>8) {
					t.Fatalf("%s: byte %d is wrong", kind, i)
				}
			}
			if _, p, err := c.to.Read(bg); string(p) != "behind" || err != nil {
				t.Errorf("%s: %q, %v", kind, p, err)
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
		}
	}
}

// TestWithoutOurTransportACutFrameEndsTheConnection, and the error says so.
func TestWithoutOurTransportACutFrameEndsTheConnection(t *testing.T) {
	_, server := raw(t, "stream")
	ctx, cancel := context.WithTimeout(bg, 300*time.Millisecond)
	defer cancel()
	err := server.Write(ctx, Binary, make([]byte, fillSize))
	if e, ok := errors.AsType[*InterruptedError](err); !ok || !e.Closed || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if err := server.Write(bg, Binary, nil); CloseStatus(err) != StatusAbnormal {
		t.Errorf("after it: %v", err)
	}
}

func TestWritesAfterTheEndSayWhy(t *testing.T) {
	client, server := pair(t, "tls")
	served := echo(server)
	if err := client.Close(4321, "enough"); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][]byte{nil, make([]byte, 100_000)} {
		if err := client.Write(bg, Binary, p); CloseStatus(err) != 4321 {
			t.Errorf("got %v", err)
		}
	}
	if err := <-served; CloseStatus(err) != 4321 {
		t.Errorf("the server says %v", err)
	}
	_ = client.CloseNow()
	if err := client.Write(bg, 9, nil); !errors.Is(err, ErrMessageType) {
		t.Errorf("got %v", err)
	}
}

func TestAWriteInProgressEndsWithTheConnection(t *testing.T) {
	for _, kind := range kinds {
		_, server := raw(t, kind)
		written := make(chan error, 2)
		for range 2 {
			go func() { written <- server.Write(bg, Binary, make([]byte, fillSize)) }()
		}
		for server.Stats().WireOut == 0 && server.Stats().Pending == 0 {
			time.Sleep(time.Millisecond)
		}
		_ = server.CloseNow()
		for range 2 {
			if err := <-written; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func TestClientFramesAreMaskedWithFreshKeys(t *testing.T) {
	cn, sn := ends(t, "plain")
	client := newConn(newTransport(cn), frame.Client, "", newSettings(0, 0, 0, 0), nil)
	defer client.CloseNow()
	defer sn.Close()
	seen := map[[4]byte]bool{}
	for i, size := range []int{0, 5, 100, 16384, 16385, 200_000, 5, 5} {
		go func() { _ = client.Write(bg, Binary, make([]byte, size)) }()
		h, _ := readFrame(t, sn)
		if !h.Masked || seen[h.Key] {
			t.Errorf("frame %d: masked %v with %x", i, h.Masked, h.Key)
		}
		seen[h.Key] = true
	}
}

func TestConcurrentWriteCloseAndPing(t *testing.T) {
	rounds := 40
	if race.Enabled {
		rounds = 15
	}
	for _, kind := range kinds {
		for range rounds {
			client, server := pair(t, kind)
			served := echo(server)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for client.Write(bg, Text, []byte("x")) == nil {
					}
				})
				wg.Go(func() {
					for {
						if _, err := client.Ping(bg); err != nil {
							return
						}
					}
				})
			}
			wg.Go(func() {
				for {
					if _, _, err := client.Read(bg); err != nil {
						return
					}
				}
			})
			if err := client.Close(StatusNormalClosure, ""); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			wg.Wait()
			if err := <-served; err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

// writeCounter counts the writes that reach the socket.
type writeCounter struct {
	net.Conn
	writes atomic.Int32
}

func (c *writeCounter) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}
