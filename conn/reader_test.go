package conn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/wire"
)

func TestStreamedMessages(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		client, server := pair(t, kind, func(s *settings) { s.messageLimit = 0 })
		for _, size := range []int{0, 1, 1000, 16384, 100_000, 5_000_000} {
			want := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
			go func() { _ = client.Write(bg, Binary, want) }()
			typ, r, err := server.Reader(bg)
			if err != nil || typ != Binary {
				t.Fatal(typ, err)
			}
			var from io.Reader = r
			if size < 2000 {
				from = iotest.OneByteReader(r)
			}
			got, err := io.ReadAll(from)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, size %d: %d bytes, %v", kind, size, len(got), err)
			}
			if _, err := r.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("behind the end: %v", err)
			}
		}
		if n := server.Stats(); n.MessagesIn != 6 || n.PayloadIn != 5_117_385 {
			t.Errorf("statistics %+v", n)
		}
	}
}

// TestFragmentsAreReadAsTheyCome, a cancelled read in between, a ping as well.
func TestFragmentsAreReadAsTheyCome(t *testing.T) {
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		_, _ = peer.Write(masked(frame.Header{Opcode: frame.Text}, "first "))
		_, r, err := server.Reader(bg)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		if n, err := r.Read(buf); string(buf[:n]) != "first " || err != nil {
			t.Fatalf("%q, %v", buf[:n], err)
		}
		r.SetContext(soon(t))
		if _, err := r.Read(buf); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if _, _, err := server.Read(bg); err != ErrMessageUnfinished {
			t.Errorf("a whole read inside a message: %v", err)
		}
		if _, _, err := server.Reader(bg); err != ErrMessageUnfinished {
			t.Errorf("a second reader: %v", err)
		}
		if err := server.Serve(bg, nil); err != ErrMessageUnfinished {
			t.Errorf("Serve: %v", err)
		}
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p"))
		_, _ = peer.Write(masked(frame.Header{}, "second "))
		_, _ = peer.Write(masked(frame.Header{Fin: true}, "third"))
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Binary}, "next"))
		r.SetContext(bg)
		if got, err := io.ReadAll(r); string(got) != "second third" || err != nil {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
		if _, p, err := server.Read(bg); string(p) != "next" || err != nil {
			t.Errorf("%s: %q, %v", kind, p, err)
		}
		if h, p := readFrame(t, peer); h.Opcode != frame.Pong || p != "p" {
			t.Errorf("%v %q", h.Opcode, p)
		}
	}
}

func TestDiscardGivesUpAMessage(t *testing.T) {
	client, server := pair(t, "tls")
	go func() {
		_ = client.Write(bg, Binary, make([]byte, 500_000))
		_ = client.Write(bg, Text, []byte("next"))
	}()
	_, r, err := server.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Read(make([]byte, 10))
	if err := r.Discard(); err != nil {
		t.Fatal(err)
	}
	if _, p, err := server.Read(bg); string(p) != "next" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}

func TestAReaderTakesOverACancelledRead(t *testing.T) {
	peer, server := raw(t, "tls")
	_, _ = peer.Write(masked(frame.Header{Opcode: frame.Text}, "one "))
	if _, _, err := server.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	_, _ = peer.Write(masked(frame.Header{Fin: true}, "two"))
	typ, r, err := server.Reader(bg)
	if err != nil || typ != Text {
		t.Fatal(typ, err)
	}
	if got, err := io.ReadAll(r); string(got) != "one two" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAStreamedMessageThatBreaksOff(t *testing.T) {
	for name, end := range map[string]func(io.WriteCloser){
		"stream ends": func(peer io.WriteCloser) { _ = peer.Close() },
		"bad text": func(peer io.WriteCloser) {
			_, _ = peer.Write(masked(frame.Header{Fin: true}, "\xff"))
			_ = peer.Close()
		},
	} {
		peer, server := raw(t, "tls")
		_, _ = peer.Write(masked(frame.Header{Opcode: frame.Text}, "begin"))
		_, r, err := server.Reader(bg)
		if err != nil {
			t.Fatal(err)
		}
		go end(peer)
		_, err = io.ReadAll(r)
		if CloseStatus(err) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := r.Read(make([]byte, 1)); again != err {
			t.Errorf("%s, again: %v", name, again)
		}
		if _, _, after := server.Read(bg); after != err {
			t.Errorf("%s, after: %v", name, after)
		}
	}
}

func TestStreamingFromReaderToWriter(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		client, server := pair(t, kind, func(s *settings) { s.messageLimit = 0 })
		copied := make(chan error, 1)
		go func() {
			typ, r, err := server.Reader(bg)
			if err != nil {
				copied <- err
				return
			}
			w, err := server.Writer(bg, typ)
			if err == nil {
				_, err = io.Copy(w, r)
			}
			copied <- errors.Join(err, w.Close())
		}()
		text := strings.Repeat("héllo wörld ", 200_000)
		go func() { _ = client.Write(bg, Text, []byte(text)) }()
		_, p, err := client.Read(bg)
		if err != nil || sha256.Sum256(p) != sha256.Sum256([]byte(text)) {
			t.Errorf("%s: %d bytes, %v", kind, len(p), err)
		}
		if err := <-copied; err != nil {
			t.Error(err)
		}
	}
}

// TestAReadTakesAllRecordsThatAreHere, and waits for the first only.
func TestAReadTakesAllRecordsThatAreHere(t *testing.T) {
	peer, server := raw(t, "tls")
	_ = tcpOf(server.transport.NetConn()).SetReadBuffer(1 << 20) // all are to find room
	_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("x", 5*record))[:4*record])
	for n, known := wire.Unacknowledged(tcpOf(peer)); known && n > 0; n, known = wire.Unacknowledged(tcpOf(peer)) {
		time.Sleep(time.Millisecond) // until all have been acknowledged
	}
	_, r, err := server.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10*record)
	had, reads := 0, 0
	for ; had < 4*record-14; reads++ {
		n, err := r.Read(buf[had:])
		if err != nil {
			t.Fatal(err)
		}
		had += n
	}
	if reads > 3 { // the first is what came with the header
		t.Errorf("%d reads of four records that were written together", reads)
	}
	r.SetContext(soon(t))
	if n, err := r.Read(buf); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(n, err)
	}
}
