package conn

import (
	"context"
	"errors"
	"strings"
	"testing"
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
		for i, want := range []fr{{frame.Text, false, 12}, {frame.Continuation, false, 20_000}, {frame.Continuation, true, 3}} {
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
	if _, err := server.Ping(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
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
	got := ""
	for range 4 {
		h, p := readFrame(t, peer)
		if h.Opcode == frame.Ping {
			p = "ping"
		}
		got += p + ";"
	}
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
