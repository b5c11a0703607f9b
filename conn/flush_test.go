package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestWritesThatMeetShareRecords: while one write is in the kernel, others are buffered.
func TestWritesThatMeetShareRecords(t *testing.T) {
	peer, b := pipe.New(1 << 16) // holds 64 KiB, then the writer waits
	nc := &writeCounter{Conn: b}
	server := newConn(transport.New(nc), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
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
	buffered := func() int {
		return int(server.send.pending() - server.transport.Pending())
	}
	for buffered() != 50*7 {
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
	t.Parallel()
	var all waiting
	defer all.Wait()
	for _, kind := range []string{"tls", "plain", "pipe"} {
		all.run(t, kind, func(t *testing.T) {
			peer, server := raw(t, kind)
			fill(t, server)
			for range 10 {
				if err := server.Write(soon(t), Text, []byte("never sent")); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				} else if e, ok := errors.AsType[*InterruptedError](err); ok {
					t.Fatal(e)
				}
			}
			if err := server.Write(soon(t), Text, make([]byte, 100_000)); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			if h, _ := readFrame(t, peer); h.Length != fillSize {
				t.Fatalf("a frame of %d", h.Length)
			}
			if err := server.Write(bg, Text, []byte("last")); err != nil {
				t.Fatal(err)
			}
			if _, p := readFrame(t, peer); p != "last" {
				t.Errorf("got %q", p)
			}
		})
	}
}

// TestCancelledWriteInsideAFrameKeepsItsOrder: the frame leaves whole, then what
// was written after it, with nobody waiting for either.
func TestCancelledWriteInsideAFrameKeepsItsOrder(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	var server *Conn
	for end := time.Now().Add(patience); ; {
		var peer net.Conn
		peer, server = raw(t, "stream")
		tighten(8<<10, peer.(*tls.Conn).NetConn(), server.transport.NetConn().(*tls.Conn).NetConn())
		err := server.Write(untilFull(t, server), Binary, make([]byte, fillSize))
		if _, between := resumable(err); between && time.Now().Before(end) {
			continue // the writer stood still between two parts of the message, and then the rest follows
		}
		if e, ok := errors.AsType[*InterruptedError](err); !ok || !e.Closed || !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		break
	}
	if err := server.Write(bg, Binary, nil); CloseStatus(err) != StatusAbnormal {
		t.Errorf("after it: %v", err)
	}
}

const fillSize = 24 << 20

// untilFull returns a context that ends when some has been sent on c and no more for a while: the socket is full.
func untilFull(t *testing.T, c *Conn) context.Context {
	ctx, cancel := context.WithCancel(bg)
	t.Cleanup(cancel)
	began := c.Stats().WireOut
	go func() {
		defer cancel()
		for last, same := began, 0; same < 3 && c.life.err() == nil; {
			<-soon(t).Done()
			now := c.Stats().WireOut
			if same++; now == began || now != last {
				same = 0
			}
			last = now
		}
	}()
	return ctx
}

// whenBegun returns a context that ends when a message of c has begun to be sent, to a peer that does not take all of it.
func whenBegun(t *testing.T, c *Conn) context.Context {
	ctx, cancel := context.WithCancel(bg)
	t.Cleanup(cancel)
	go func() {
		defer cancel()
		for c.transport.Pending() == 0 && c.life.err() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	return ctx
}

// fill leaves a message half sent to a peer that does not read.
func fill(t *testing.T, c *Conn) {
	t.Helper()
	p := make([]byte, fillSize)
	for i := range p {
		p[i] = byte(i * 7 >> 8)
	}
	err := c.Write(untilFull(t, c), Binary, p)
	e, ok := errors.AsType[*InterruptedError](err)
	if !ok || e.Closed || e.Pending == 0 || !errors.Is(err, context.Canceled) {
		t.Fatalf("write into a peer that does not read: %v", err)
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

// TestWhatAnEndDroppedIsNotTakenForSent: the connection ends after a frame was enqueued,
// and before its writer sends it.
func TestWhatAnEndDroppedIsNotTakenForSent(t *testing.T) {
	for _, kind := range kinds {
		_, server := pair(t, kind)
		end := server.send.enqueueControl(frame.Ping, []byte("hello"))
		_ = server.CloseNow()
		if err := server.send.flushTo(bg, end); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestWritesThatSucceededHaveLeft: many write, and the connection ends among them.
func TestWritesThatSucceededHaveLeft(t *testing.T) {
	t.Parallel()
	const writers, payload = 8, 100
	for i := range 60 {
		peer, server := raw(t, "plain")
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		var sent atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for server.Write(bg, Binary, make([]byte, payload)) == nil {
					sent.Add(payload + 2)
				}
			})
		}
		time.Sleep(time.Duration(i) * 30 * time.Microsecond)
		_ = server.CloseNow()
		wg.Wait()
		if _, out := server.transport.Counts(); out < sent.Load() {
			t.Fatalf("%d bytes left, %d were said to have", out, sent.Load())
		}
		_ = peer.Close()
	}
}
