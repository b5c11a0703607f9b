package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
)

// counted counts the writes that reach the kernel.
type counted struct {
	net.Conn
	writes int
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes++
	return c.Conn.Write(p)
}

func TestWritesAreCorkedUntilFlush(t *testing.T) {
	a, b := pipe.New(1 << 20)
	nc := &counted{Conn: b}
	c := New(nc)
	if _, err := c.Write([]byte("straight,")); err != nil || nc.writes != 1 {
		t.Fatalf("%v after %d writes", err, nc.writes)
	}
	c.Switch()
	want := []byte("straight,")
	for i := range 3000 {
		p := bytes.Repeat([]byte{byte(i)}, 1+i%40)
		want = append(want, p...)
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if nc.writes != 1 || c.Pending() != int64(len(want)-9) || c.BytesWritten() != 9 {
		t.Errorf("%d writes, %d pending, %d written", nc.writes, c.Pending(), c.BytesWritten())
	}
	if err := c.Flush(); err != nil || nc.writes != 2 || c.Pending() != 0 {
		t.Errorf("%v, %d writes, %d pending", err, nc.writes, c.Pending())
	}
	if err := c.Flush(); err != nil || nc.writes != 2 {
		t.Errorf("an empty flush: %v, %d writes", err, nc.writes)
	}
	_ = c.Close()
	if got, _ := io.ReadAll(a); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

// TestTimedOutWriteLeavesTheConnectionUsable is what no stack above tls.Conn can
// show: megabytes on their way to a peer that does not read, a deadline that
// cuts them off, more messages behind them; then the peer reads it all.
func TestTimedOutWriteLeavesTheConnectionUsable(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := connect(t, version, nil)
		big := make([]byte, 32<<20)
		_, _ = rand.Read(big)
		if _, err := p.server.Write(big); err != nil {
			t.Fatal(err)
		}
		_ = p.w.SetFlushDeadline(time.Now().Add(50 * time.Millisecond))
		if err := p.w.Flush(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("flush into a peer that does not read: %v", err)
		}
		left := p.w.Pending()
		if left == 0 || p.w.BytesWritten() == 0 {
			t.Fatalf("%d bytes pending", left)
		}
		if _, err := p.server.Write([]byte("behind")); err != nil {
			t.Fatal(err)
		}
		if done, err := p.w.TryFlush(); done || err != nil {
			t.Fatalf("the kernel is full: %v, %v", done, err)
		}
		// The other direction does not notice.
		if _, err := p.client.Write([]byte("still here")); err != nil {
			t.Fatal(err)
		}
		if got := p.readFull(t, 10); string(got) != "still here" {
			t.Fatalf("got %q", got)
		}
		sum := make(chan [32]byte)
		go func() {
			h := sha256.New()
			_, _ = io.CopyN(h, p.client, int64(len(big)+6))
			sum <- [32]byte(h.Sum(nil))
		}()
		_ = p.w.SetFlushDeadline(time.Time{})
		if err := p.w.Flush(); err != nil {
			t.Fatal(err)
		}
		if <-sum != sha256.Sum256(append(big, "behind"...)) {
			t.Errorf("TLS %x: bytes lost or out of order", version)
		}
	}
}

// TestARecordThatIsAloneGoesToTheKernel, and what it does not take is queued; the error
// of a socket that is gone is Flush's to report, so that crypto/tls stays usable.
func TestARecordThatIsAloneGoesToTheKernel(t *testing.T) {
	cs, ss := sockets(t)
	c := TLS(ss)
	c.Switch()
	if c.descriptor == nil {
		t.Skip("readiness cannot be awaited on this system")
	}
	var want []byte
	write := func(size int) {
		t.Helper()
		p := make([]byte, size)
		_, _ = rand.Read(p)
		want = append(want, p...)
		if n, err := c.Write(p); n != size || err != nil {
			t.Fatal(n, err)
		}
	}
	write(100)
	if c.Pending() != 0 || c.BytesWritten() != 100 {
		t.Fatalf("%d pending, %d written", c.Pending(), c.BytesWritten())
	}
	write(fullRecord + headerSize) // another may follow
	if c.Pending() == 0 {
		t.Fatal("a full record did not wait")
	}
	write(10) // never before what is queued
	if c.BytesWritten() != 100 {
		t.Fatal("a record overtook another")
	}
	if done, err := c.TryFlush(); !done || err != nil {
		t.Fatal(done, err)
	}
	write(fullRecord) // the ciphertext of a full one is longer
	if c.Pending() != 0 {
		t.Fatal("a record that was not full did wait")
	}
	for c.Pending() == 0 {
		write(fullRecord)
	}
	go func() {
		_ = c.Flush()
		_ = c.CloseWrite()
	}()
	if got, err := io.ReadAll(cs); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes of %d, %v", len(got), len(want), err)
	}
	if n, err := c.Write(want[:7]); n != 7 || err != nil {
		t.Fatal(n, err)
	}
	for range 2 {
		if done, err := c.TryFlush(); done || !errors.Is(err, syscall.EPIPE) {
			t.Fatal(done, err)
		}
	}
}

// TestFullRecordsAreWrittenThrough where wanted, in order with what was queued before.
func TestFullRecordsAreWrittenThrough(t *testing.T) {
	cs, ss := sockets(t)
	c := TLS(ss)
	c.Switch()
	if c.descriptor == nil {
		t.Skip("readiness cannot be awaited on this system")
	}
	const size = fullRecord + headerSize
	var want []byte
	write := func(through bool) {
		t.Helper()
		p := make([]byte, size)
		_, _ = rand.Read(p)
		want = append(want, p...)
		c.WriteThrough(through)
		if n, err := c.Write(p); n != size || err != nil {
			t.Fatal(n, err)
		}
	}
	write(true)
	if c.Pending() != 0 || c.BytesWritten() != size {
		t.Fatalf("%d pending, %d written", c.Pending(), c.BytesWritten())
	}
	write(false)
	write(true) // never before what is queued
	if c.Pending() != 2*size || c.BytesWritten() != size {
		t.Fatalf("%d pending, %d written", c.Pending(), c.BytesWritten())
	}
	if done, err := c.TryFlush(); !done || err != nil {
		t.Fatal(done, err)
	}
	for c.Pending() == 0 { // until the kernel takes a part, or nothing
		write(true)
	}
	go func() {
		_ = c.Flush()
		_ = c.CloseWrite()
	}()
	if got, err := io.ReadAll(cs); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes of %d, %v", len(got), len(want), err)
	}
}

func TestTryFlushTakesWhatTheKernelTakes(t *testing.T) {
	cs, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	if c.descriptor == nil {
		t.Skip("readiness cannot be awaited on this system")
	}
	want := make([]byte, 16<<20)
	_, _ = rand.Read(want)
	for off := 0; off < len(want); off += 100_000 {
		_, _ = c.Write(want[off:min(off+100_000, len(want))])
	}
	if done, err := c.TryFlush(); done || err != nil || c.BytesWritten() == 0 {
		t.Fatalf("%v, %v, %d written", done, err, c.BytesWritten())
	}
	go func() {
		_ = c.Flush()
		_ = ss.Close()
	}()
	if got, err := io.ReadAll(cs); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestWritersAndFlushesMayMeet(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	cs, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	const writers, each, size = 8, 500, 333
	var mu sync.Mutex // one writes at a time; crypto/tls has a lock of its own
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range each {
				mu.Lock()
				_, _ = c.Write(bytes.Repeat([]byte{byte(i)}, size))
				mu.Unlock()
				if done, err := c.TryFlush(); err != nil {
					t.Error(done, err)
				}
				if err := c.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := make([]byte, writers*each*size)
	if _, err := io.ReadFull(cs, got); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for off := 0; off < len(got); off += size {
		if !bytes.Equal(got[off:off+size], bytes.Repeat(got[off:off+1], size)) {
			t.Fatal("a write was torn")
		}
	}
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers not returned", n)
	}
}

func TestCloseEndsAFlushAndReturnsItsBuffers(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	_, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	_, _ = c.Write(make([]byte, 32<<20))
	ended := make(chan error)
	go func() { ended <- c.Flush() }()
	for under := false; !under; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		under = c.flushing
		c.mu.Unlock()
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("flush: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	c.Drop()
	if n := bufpool.Outstanding(); n != 0 || c.Pending() != 0 {
		t.Errorf("%d buffers not returned, %d bytes pending", n, c.Pending())
	}
}

func TestWhatCloseDroppedIsNotTakenForSent(t *testing.T) {
	_, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	for c.Pending() == 0 {
		_, _ = c.Write(make([]byte, 1<<20)) // until the kernel takes no more
	}
	_ = c.Close()
	if n := c.Pending(); n != 0 {
		t.Fatalf("%d bytes pending", n)
	}
	if err := c.Flush(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("flush: %v", err)
	}
	if done, err := c.TryFlush(); done || !errors.Is(err, net.ErrClosed) {
		t.Errorf("try: %v, %v", done, err)
	}
}

func TestWhatLeftBeforeCloseHasLeft(t *testing.T) {
	_, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	_, _ = c.Write([]byte("x"))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := c.Flush(); err != nil {
		t.Errorf("flush: %v", err)
	}
	if done, err := c.TryFlush(); !done || err != nil {
		t.Errorf("try: %v, %v", done, err)
	}
}

func TestMessagesInBothDirectionsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		return
	}
	cs, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	peer := make([]byte, 100)
	buf := make([]byte, 100)
	if n := testing.AllocsPerRun(500, func() {
		_, _ = c.Write(buf)
		if done, err := c.TryFlush(); !done || err != nil {
			t.Fatal(done, err)
		}
		_, _ = c.Write(buf)
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := io.ReadFull(cs, peer); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = cs.Write(peer)
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(buf); n != 100 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
