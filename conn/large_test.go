package conn

import (
	"bytes"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

// TestLongFramesOfEverySize around the boundaries of gathering, chunks and records.
func TestLongFramesOfEverySize(t *testing.T) {
	client, server := pair(t, "tls")
	for _, around := range []int{gatherMax, chunk, 2 * chunk, 3 * 16384} {
		for d := -15; d <= 15; d++ {
			want := bytes.Repeat([]byte("0123456789abcde"), (around+d)/15+1)[:around+d]
			for _, c := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
				go func() { _ = c.from.Write(bg, Binary, want) }()
				if _, p, err := c.to.Read(bg); !bytes.Equal(p, want) || err != nil {
					t.Fatalf("size %d: %d bytes, %v", around+d, len(p), err)
				}
			}
		}
	}
}

func TestALongWriteDoesNotChangeItsInput(t *testing.T) {
	client, server := pair(t, "plain")
	p := bytes.Repeat([]byte{0x5a}, 300_000)
	go func() { _ = client.Write(bg, Binary, p) }()
	if _, _, err := server.Read(bg); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p, bytes.Repeat([]byte{0x5a}, 300_000)) {
		t.Error("the caller's slice was masked")
	}
}

// TestALongFrameAfterTheCloseFrame is refused, and one begun before it leaves whole.
func TestALongFrameAfterTheCloseFrame(t *testing.T) {
	peer, server := raw(t, "tls")
	closed := make(chan error, 1)
	go func() { closed <- server.Close(StatusNormalClosure, "") }()
	if h, _ := readFrame(t, peer); h.Opcode != frame.Close {
		t.Fatal(h.Opcode)
	}
	if err := server.Write(bg, Binary, make([]byte, 100_000)); CloseStatus(err) != StatusNormalClosure {
		t.Errorf("got %v", err)
	}
	_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, ""))
	_ = peer.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
