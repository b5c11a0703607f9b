package conn

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// TestLongFramesOfEverySize around the boundaries of buffers, chunks and records.
func TestLongFramesOfEverySize(t *testing.T) {
	client, server := pair(t, "tls")
	for _, around := range []int{outbox.MaxCopied, chunk, 2 * chunk, 3 * 16384} {
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

// ledger is a transport that notes what is given to it.
type ledger struct {
	loop
	lines []string
}

func (l *ledger) Write(p []byte, through bool) error {
	l.lines = append(l.lines, fmt.Sprint(len(p), " ", through))
	return nil
}

func (l *ledger) TryFlush() (bool, error) {
	l.lines = append(l.lines, "flush")
	return true, nil
}

// TestHowLongFramesAreGivenToTheTransport: what one flush of a server sends is buffered;
// longer ones and masked ones go record by record, and are flushed every four.
func TestHowLongFramesAreGivenToTheTransport(t *testing.T) {
	for _, tt := range []struct {
		role frame.Role
		size int
		want string
	}{
		{frame.Server, 20_000, "16384 false, 3620 false, flush"},
		{frame.Server, chunk, "16384 false, 49162 false, flush"},
		{frame.Server, chunk + tail - 10, "16384 false, 57344 false, flush"},
		{frame.Server, 150_000, "16384 true, 49152 true, flush, 65536 true, flush, 18938 true, flush"},
		{frame.Client, 20_000, "16384 true, 3624 true, flush"},
		{frame.Client, chunk, "16384 true, 16384 true, 16384 true, 16384 true, 14 true, flush"},
		{frame.Client, 150_000, "16384 true, 16384 true, 16384 true, 16384 true, flush, " +
			"16384 true, 16384 true, 16384 true, 16384 true, flush, 16384 true, 2558 true, flush"},
	} {
		var l ledger
		c := newConn(&l, tt.role, "", newSettings(0, 0, -1, 0), nil, nil)
		if err := c.Write(bg, Binary, make([]byte, tt.size)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(l.lines, ", "); got != tt.want {
			t.Errorf("%v, %d bytes: %s, want %s", tt.role, tt.size, got, tt.want)
		}
		_ = c.CloseNow()
	}
	for size, want := range map[int]string{
		chunk:   "65546 false, flush",
		150_000: "65536 true, flush, 65536 true, flush, 18938 true, flush",
	} {
		p, err := Prepare(Binary, make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		var l ledger
		c := newConn(&l, frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		if err := c.Send(bg, p); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(l.lines, ", "); got != want {
			t.Errorf("prepared, %d bytes: %s, want %s", size, got, want)
		}
		_ = c.CloseNow()
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
