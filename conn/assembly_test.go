package conn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// TestMemoryFollowsWhatArrives, not what headers declare, for every fragment size.
func TestMemoryFollowsWhatArrives(t *testing.T) {
	for _, fragment := range []int{1, 100, 5000, 70_000, 1 << 20} {
		for _, pooled := range []bool{false, true} {
			a := assembly{open: true, pooled: pooled}
			total, copies, last := 0, 0, 0
			for total < 1<<20 {
				rest := int64(fragment)
				for rest > 0 {
					n := min(rest, 4096)
					if rest >= directRead {
						a.grow(rest)
						n = min(rest, int64(cap(a.buf)-len(a.buf)))
						a.add(a.buf[len(a.buf):len(a.buf)+int(n)], rest-n)
					} else {
						a.add(make([]byte, n), rest-n)
					}
					rest -= n
					if total += int(n); cap(a.buf) != last {
						copies, last = copies+1, cap(a.buf)
					}
					if limit := 4*total + 2*bufpool.Bulk; cap(a.buf) > max(limit, bufpool.Large) && !pooled {
						t.Fatalf("fragments of %d: %d bytes for %d", fragment, cap(a.buf), total)
					}
				}
			}
			if len(a.buf) != total || copies > 60 {
				t.Errorf("fragments of %d: %d of %d bytes, moved %d times", fragment, len(a.buf), total, copies)
			}
			a.drop()
		}
	}
}

// TestViewsOfManyMessages: what Serve hands out is right while it is valid, whether a
// message came whole, in fragments or over the end of a buffer.
func TestViewsOfManyMessages(t *testing.T) {
	peer, server := raw(t, "tls")
	var want []string
	var input bytes.Buffer
	for i := range 300 {
		msg := strings.Repeat(string(rune('a'+i%26)), i*i%9000)
		want = append(want, msg)
		cut := len(msg) * (i % 3) / 3
		if i%3 != 0 {
			input.Write(masked(frame.Header{Opcode: frame.Text}, msg[:cut]))
			input.Write(masked(frame.Header{Fin: true}, msg[cut:]))
		} else {
			input.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, msg))
		}
	}
	go func() { _, _ = peer.Write(input.Bytes()); _ = peer.Close() }()
	i := 0
	_ = server.Serve(bg, func(_ *Conn, m Message) error {
		if string(m.Data) != want[i] {
			t.Errorf("message %d: %d bytes, want %d", i, len(m.Data), len(want[i]))
		}
		i++
		return nil
	})
	if i != len(want) {
		t.Errorf("%d messages", i)
	}
}

// TestAMessageThatJustFitsIsInTheCallersBuffer although it comes in pieces; one with a byte more is not.
func TestAMessageThatJustFitsIsInTheCallersBuffer(t *testing.T) {
	for _, tt := range []struct {
		name string
		room int
		same bool
	}{{"room to spare", 11, true}, {"just room", 10, true}, {"a byte too little", 9, false}} {
		t.Run(tt.name, func(t *testing.T) {
			peer, server := raw(t, "pipe")
			_, _ = peer.Write(masked(frame.Header{Opcode: frame.Text}, "Hello"))
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Continuation}, "World"))
			buf := make([]byte, 0, tt.room)
			_, p, err := server.ReadInto(bg, buf)
			if err != nil || string(p) != "HelloWorld" {
				t.Fatalf("%q, %v", p, err)
			}
			if same := &p[0] == &buf[:1][0]; same != tt.same {
				t.Errorf("in the caller's buffer: %v", same)
			}
		})
	}
}
