package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

func TestAWriterSendsFragments(t *testing.T) {
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		w, err := server.Writer(bg, Text)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte("small "))
		_, _ = w.Write([]byte("pieces"))
		_ = w.Flush()
		_ = w.Flush() // nothing to send
		go func() {
			_, _ = w.Write(make([]byte, 20_000))
			_, _ = w.Write([]byte("end"))
			_ = w.Close()
		}()
		type fr struct {
			op  frame.Opcode
			fin bool
			n   int64
		}
		for i, want := range []fr{{frame.Text, false, 12}, {frame.Continuation, false, 16_380}, {frame.Continuation, true, 3_623}} {
			h, _ := readFrame(t, peer)
			if got := (fr{h.Opcode, h.Fin, h.Length}); got != want {
				t.Errorf("%s, frame %d: %+v, want %+v", kind, i, got, want)
			}
		}
	}
}

// TestAWriterKeepsOthersOut, but not pings; they go on when it is done.
func TestAWriterKeepsOthersOut(t *testing.T) {
	peer, server := raw(t, "tls")
	w, err := server.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("a"))
	_ = w.Flush()
	for _, size := range []int{1, 100_000} {
		if err := server.Write(soon(t), Binary, make([]byte, size)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a write inside a message: %v", err)
		}
	}
	if _, err := server.Writer(soon(t), Binary); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second writer: %v", err)
	}
	got := ""
	next := func() {
		h, p := readFrame(t, peer)
		if h.Opcode == frame.Ping {
			p = "ping"
		}
		got += p + ";"
	}
	ctx, cancel := context.WithCancel(bg)
	pinged := make(chan error, 1)
	go func() {
		_, err := server.Ping(ctx)
		pinged <- err
	}()
	next()
	next()
	cancel()
	if err := <-pinged; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	written := make(chan error, 1)
	go func() { written <- server.Write(bg, Binary, []byte("other")) }()
	_, _ = w.Write([]byte("b"))
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	next()
	next()
	if got != "a;ping;b;other;" {
		t.Errorf("got %q", got)
	}
	if _, err := w.Write(nil); err != ErrWriterClosed {
		t.Errorf("a write behind Close: %v", err)
	}
	if err := errors.Join(w.Flush(), w.Close()); !errors.Is(err, ErrWriterClosed) {
		t.Errorf("flush and close behind Close: %v", err)
	}
}

func TestAWriterThatIsCancelledMayGoOn(t *testing.T) {
	client, server := pair(t, "tls", func(s *settings) { s.messageLimit = 0 })
	fill(t, server)
	w, err := server.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("kept"))
	w.SetContext(soon(t))
	if err := w.Flush(); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	w.SetContext(bg)
	closed := make(chan error, 1)
	go func() { closed <- w.Close() }()
	if _, p, err := client.Read(bg); len(p) != fillSize || err != nil {
		t.Fatal(len(p), err)
	}
	if _, p, err := client.Read(bg); string(p) != "kept" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestAMessageThatNeverBeganLeavesNoTrace.
func TestAMessageThatNeverBeganLeavesNoTrace(t *testing.T) {
	peer, server := raw(t, "tls")
	ctx, cancel := context.WithCancel(bg)
	w, err := server.Writer(ctx, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("never"))
	cancel()
	if err := w.Close(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = server.Write(bg, Binary, []byte("next"))
	if _, p := readFrame(t, peer); p != "next" {
		t.Errorf("got %q", p)
	}
	if _, err := server.Writer(ctx, Text); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := server.Writer(bg, 0); err != ErrMessageType {
		t.Error(err)
	}
}

func TestAWriterAfterTheEnd(t *testing.T) {
	client, server := pair(t, "tls")
	w, err := server.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(strings.Repeat("x", 100)))
	_ = client.CloseNow()
	_, _, _ = server.Read(bg)
	if err := w.Close(); CloseStatus(err) != StatusAbnormal {
		t.Error(err)
	}
	began := time.Now()
	if _, err := server.Writer(bg, Text); CloseStatus(err) != StatusAbnormal || time.Since(began) > time.Minute {
		t.Error(err)
	}
}

// TestFragmentsFillRecords, whatever the pieces, in both directions, and what is read is
// what was written.
func TestFragmentsFillRecords(t *testing.T) {
	want := make([]byte, 400_000)
	for i := range want {
		want[i] = byte(i * 31 >> 7)
	}
	write := func(w *MessageWriter, size int) error {
		if size == 0 {
			n, err := io.Copy(w, struct{ io.Reader }{bytes.NewReader(want)})
			if err == nil && n != int64(len(want)) {
				err = fmt.Errorf("%d bytes read", n)
			}
			return err
		}
		for p := range slices.Chunk(want, size) {
			if n, err := w.Write(p); n != len(p) || err != nil {
				return fmt.Errorf("%d bytes, %w", n, err)
			}
		}
		return nil
	}
	for _, role := range []string{"client", "server"} {
		from, to := pair(t, "tls")
		if role == "server" {
			from, to = to, from
		}
		for _, size := range []int{0, 1000, 16_375, 16_380, 16_384, 20_000, 32 << 10, 65_530, 65_536, 70_000, 300_000} {
			sent := make(chan error, 1)
			go func() {
				w, err := from.Writer(bg, Binary)
				if err == nil {
					err = errors.Join(write(w, size), w.Close())
				}
				sent <- err
			}()
			if _, p, err := to.Read(bg); !bytes.Equal(p, want) || err != nil {
				t.Fatalf("%s, pieces of %d: %d bytes, %v", role, size, len(p), err)
			}
			if err := <-sent; err != nil {
				t.Fatalf("%s, pieces of %d: %v", role, size, err)
			}
		}
	}
	c := &Conn{}
	for _, tt := range []struct{ n, server int }{
		{0, 0}, {record - 5, 0}, {record - 4, record - 4}, {record, record - 4}, {chunk, chunk - 4},
		{chunk + 5, chunk - 4}, {1 << 20, 1<<20 - 10}, {1<<20 - 11, 1<<20 - 10 - record},
	} {
		if got := c.send.whole(tt.n); got != tt.server {
			t.Errorf("of %d bytes %d fill records, want %d", tt.n, got, tt.server)
		}
	}
}

// TestReadFromKeepsWhatWasNotSent, when its context ends or its reader fails.
func TestReadFromKeepsWhatWasNotSent(t *testing.T) {
	client, server := pair(t, "tls")
	w, err := server.Writer(bg, Binary)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if n, err := w.ReadFrom(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken))); n != 2 || err != broken {
		t.Fatal(n, err)
	}
	w.SetContext(soon(t))
	<-w.ctx.Done()
	for range 2 { // twice: the second finds its buffer full
		if _, err := w.ReadFrom(zeros{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	w.SetContext(bg)
	n, err := w.ReadFrom(strings.NewReader("c"))
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, p, err := client.Read(bg)
	if err != nil || !strings.HasPrefix(string(p), "ab\x00") || !strings.HasSuffix(string(p), "\x00c") {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if _, err := w.ReadFrom(nil); err != ErrWriterClosed {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
