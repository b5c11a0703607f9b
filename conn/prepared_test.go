package conn

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

func prepare(t testing.TB, typ MessageType, data string) *Prepared {
	t.Helper()
	p, err := Prepare(typ, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPrepareRefusesWhatNoConnectionMaySend(t *testing.T) {
	if _, err := Prepare(Text, []byte("a\xc3")); err != ErrInvalidUTF8 {
		t.Errorf("cut text: %v", err)
	}
	if _, err := Prepare(Text, []byte("\xff")); err != ErrInvalidUTF8 {
		t.Errorf("bad text: %v", err)
	}
	if _, err := Prepare(Binary, []byte("\xff")); err != nil {
		t.Errorf("binary: %v", err)
	}
	if _, err := Prepare(9, nil, Uncompressed); err != ErrMessageType {
		t.Errorf("ping: %v", err)
	}
	data := []byte("mine")
	p, _ := Prepare(Text, data)
	data[0] = 'x'
	client, server := pair(t, "pipe")
	if err := server.Send(bg, p); err != nil || p.Len() != 4 || p.Type() != Text {
		t.Errorf("%v, %d, %v", err, p.Len(), p.Type())
	}
	if _, got, err := client.Read(bg); string(got) != "mine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAPreparedMessageIsCompressed on each connection, unless that makes it longer or Uncompressed is set.
func TestAPreparedMessageIsCompressed(t *testing.T) {
	text := strings.Repeat("again and ", 100)
	random := string(incompressible(500))
	for _, tt := range []struct {
		name       string
		data       string
		p          *Prepared
		compressed bool
	}{
		{"text that repeats itself", text, prepare(t, Text, text), true},
		{"below the threshold", text[:100], prepare(t, Text, text[:100]), false},
		{"what does not become shorter", random, prepare(t, Binary, random), false},
		{"a secret", text, func() *Prepared { p, _ := Prepare(Text, []byte(text), Uncompressed); return p }(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 {
				client, server := compressedPair(t, "plain", handshake.DeflateParams{ServerMaxWindowBits: 12, ClientMaxWindowBits: 12}, Compression{})
				for range 3 {
					before := server.Stats().WireOut
					if err := server.Send(bg, tt.p); err != nil {
						t.Fatal(err)
					}
					if _, p, err := client.Read(bg); err != nil || string(p) != tt.data {
						t.Fatalf("%d bytes, %v", len(p), err)
					}
					if n := server.Stats().WireOut - before; tt.compressed != (n < int64(tt.p.Len())) {
						t.Errorf("%d bytes for %d", n, tt.p.Len())
					}
				}
			}
		})
	}
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// TestAWriteOfAPreparedMessageWaits for the peer, whatever the queue's policy; it is forgotten if its context ends before it has
// begun to be sent, and delivered after that.
func TestAWriteOfAPreparedMessageWaits(t *testing.T) {
	for _, role := range []string{"server", "client"} {
		t.Run(role, func(t *testing.T) {
			reader, writer := tiny(t, &AcceptOptions{QueueLimit: 1, WhenFull: DropWhenFull})
			if role == "client" {
				reader, writer = writer, reader
			}
			defer reader.CloseNow()
			defer writer.CloseNow()
			within := func() (context.Context, context.CancelFunc) { return context.WithTimeout(bg, 50*time.Millisecond) }
			long, short := strings.Repeat("long ", 20_000), "short"
			begun := whenBegun(t, writer)
			var i *InterruptedError
			if err := writer.WritePrepared(begun, prepare(t, Text, long)); !errors.As(err, &i) || i.Closed || !errors.Is(err, context.Canceled) {
				t.Fatalf("a message that has begun to be sent: %v", err)
			}
			for range 3 {
				ctx, cancel := within()
				defer cancel()
				if err := writer.WritePrepared(ctx, prepare(t, Text, short)); err != context.DeadlineExceeded {
					t.Fatalf("a message that has not: %v", err)
				}
			}
			if err := writer.WritePrepared(begun, prepare(t, Text, short)); err != context.Canceled {
				t.Errorf("with a context that has ended: %v", err)
			}
			written := make(chan error, 1)
			go func() { written <- writer.WritePrepared(bg, prepare(t, Text, "last")) }()
			for _, want := range []string{long, "last"} {
				if _, p, err := reader.Read(bg); string(p) != want || err != nil {
					t.Fatalf("%d bytes, %v, want %d", len(p), err, len(want))
				}
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
			if s := writer.Stats(); s.MessagesOut != 2 || s.Dropped != 0 || s.PayloadOut != int64(len(long)+4) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestAWriteOfAPreparedMessageTakesItsTurn after a message that is being streamed, and after buffered ones.
func TestAWriteOfAPreparedMessageTakesItsTurn(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind)
			w, err := server.Writer(bg, Text)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte("streamed"))
			ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
			defer cancel()
			if err := server.WritePrepared(ctx, prepare(t, Text, "behind")); err != context.DeadlineExceeded {
				t.Errorf("while a message is streamed: %v", err)
			}
			done := make(chan error, 1)
			go func() { done <- server.WritePrepared(bg, prepare(t, Text, "behind")) }()
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			err = server.Cork(func() error {
				return errors.Join(server.Write(bg, Text, []byte("corked")), server.WritePrepared(bg, prepare(t, Text, "with it")))
			})
			if err != nil {
				t.Error(err)
			}
			for _, want := range []string{"streamed", "behind", "corked", "with it"} {
				if _, p, err := client.Read(bg); string(p) != want || err != nil {
					t.Errorf("%q, %v, want %q", p, err, want)
				}
			}
			if err := server.WritePrepared(bg, &Prepared{}); err != ErrMessageType {
				t.Errorf("the zero value: %v", err)
			}
			_ = server.CloseNow()
			if err := server.WritePrepared(bg, prepare(t, Text, "late")); CloseStatus(err) != StatusAbnormal {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}
