package conn

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/race"
)

func TestPingsAreAnsweredWithTheirPayload(t *testing.T) {
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		served := echo(server)
		for _, p := range []string{"", "x", string(bytes.Repeat([]byte{0xff}, 125))} {
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Ping}, p))
			if h, got := readFrame(t, peer); h.Opcode != frame.Pong || got != p || h.Masked {
				t.Errorf("%s: %v %q", kind, h, got)
			}
		}
		_ = server.CloseNow()
		<-served
	}
}

// TestControlFramesBetweenFragments are answered before the message is complete.
func TestControlFramesBetweenFragments(t *testing.T) {
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		served := echo(server)
		_, _ = peer.Write(masked(frame.Header{Opcode: frame.Text}, "one "))
		for _, p := range []string{"a", "b"} {
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Ping}, p))
			if h, got := readFrame(t, peer); h.Opcode != frame.Pong || got != p {
				t.Fatalf("%s: %v %q", kind, h, got)
			}
			_, _ = peer.Write(masked(frame.Header{}, p))
		}
		_, _ = peer.Write(masked(frame.Header{Fin: true}, " two"))
		if _, got := readFrame(t, peer); got != "one ab two" {
			t.Errorf("%s: %q", kind, got)
		}
		_ = server.CloseNow()
		<-served
	}
}

// TestAPingFloodOfAPeerThatDoesNotRead costs a bounded amount of memory, and the
// latest ping is answered when it reads again.
func TestAPingFloodOfAPeerThatDoesNotRead(t *testing.T) {
	pings := 400_000
	if race.Enabled || testing.Short() {
		pings = 60_000
	}
	for _, kind := range []string{"tls", "plain", "pipe"} {
		peer, server := raw(t, kind)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			batch := bytes.Repeat(masked(frame.Header{Fin: true, Opcode: frame.Ping}, string(make([]byte, 100))), 1000)
			for range pings / 1000 {
				_, _ = peer.Write(batch)
			}
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Ping}, "latest"))
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "message"))
		}()
		if _, p, err := server.Read(bg); string(p) != "message" || err != nil {
			t.Fatalf("%s: %q, %v", kind, p, err)
		}
		<-sent
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("%s: the heap grew by %d bytes", kind, grown)
		}
		if n := server.transport.Pending(); n > server.settings.outbox.QueueLimit+answersLimit+outbox.Capacity {
			t.Errorf("%s: %d bytes pending", kind, n)
		}
		for {
			h, p := readFrame(t, peer)
			if h.Opcode != frame.Pong {
				t.Fatalf("%s: %v", kind, h.Opcode)
			}
			if p == "latest" {
				break
			}
		}
	}
}

func TestALongPingFloodOfAPeerThatReads(t *testing.T) {
	peer, server := raw(t, "tls")
	served := echo(server)
	const pings = 20_000
	go func() {
		one := masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p")
		for range pings / 100 {
			_, _ = peer.Write(bytes.Repeat(one, 100))
		}
	}()
	if _, err := io.CopyN(io.Discard, peer, 3*pings); err != nil {
		t.Error(err)
	}
	_ = server.CloseNow()
	<-served
}
