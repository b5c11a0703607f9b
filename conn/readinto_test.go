package conn

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestACancelledReadIntoLeavesTheCallersBufferAlone: what has arrived is kept, and the rest goes elsewhere.
func TestACancelledReadIntoLeavesTheCallersBufferAlone(t *testing.T) {
	long := masked(frame.Header{Fin: true, Opcode: frame.Text}, strings.Repeat("a", 30_000)+strings.Repeat("b", 30_000))
	for _, tt := range []struct {
		name        string
		first, rest []byte
		want        string
	}{
		{
			"between two fragments", masked(frame.Header{Opcode: frame.Text}, strings.Repeat("a", 1000)),
			masked(frame.Header{Fin: true, Opcode: frame.Continuation}, strings.Repeat("b", 2000)),
			strings.Repeat("a", 1000) + strings.Repeat("b", 2000),
		},
		{
			"inside a long frame, which is read in place", long[:20_000], long[20_000:],
			strings.Repeat("a", 30_000) + strings.Repeat("b", 30_000),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, b := pipe.New(1 << 17)
				server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
				buf := make([]byte, 100_000)
				ctx, cancel := context.WithCancel(bg)
				cancelled := make(chan error, 1)
				go func() {
					_, _, err := server.ReadInto(ctx, buf[:0])
					cancelled <- err
				}()
				_, _ = peer.Write(tt.first)
				synctest.Wait() // it has read that, and waits for more
				cancel()
				if err := <-cancelled; !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				for i := range buf {
					buf[i] = 'z'
				}
				_, _ = peer.Write(tt.rest)
				if _, got, err := server.Read(bg); string(got) != tt.want || err != nil {
					t.Errorf("%d bytes of %d, %v", len(got), len(tt.want), err)
				}
				if i := bytes.IndexFunc(buf, func(r rune) bool { return r != 'z' }); i >= 0 {
					t.Errorf("byte %d of the buffer was written to", i)
				}
				_ = server.CloseNow()
				_ = peer.Close()
			})
		})
	}
}

// TestAPeerThatTakesNothingIsNotReadFrom beyond what may wait for it: QueueLimit and answersLimit together.
func TestAPeerThatTakesNothingIsNotReadFrom(t *testing.T) {
	const queue = 4 << 10
	for _, tt := range []struct {
		name    string
		waiting int
		read    bool
	}{
		{"less than the bound waits", queue + answersLimit - 32<<10, true},
		{"more than the bound waits", queue + answersLimit + 32<<10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, b := pipe.New(1 << 10)
				server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0).queueing(queue, CloseWhenFull), nil, nil)
				ctx, cancel := context.WithCancel(bg)
				written := make(chan error, 1)
				go func() { written <- server.Write(ctx, Binary, make([]byte, tt.waiting)) }()
				synctest.Wait()
				cancel()
				if _, ok := resumable(<-written); !ok {
					t.Fatal("the write was not interrupted")
				}
				_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "hello"))
				got := make(chan string, 1)
				go func() {
					_, p, _ := server.Read(bg)
					got <- string(p)
				}()
				synctest.Wait()
				if read := len(got) > 0; read != tt.read {
					t.Errorf("with %d bytes that wait, read: %v", server.transport.Pending(), read)
				}
				if h, _ := readFrame(t, peer); h.Length != int64(tt.waiting) {
					t.Errorf("got %+v", h)
				}
				if p := <-got; p != "hello" {
					t.Errorf("got %q", p)
				}
				_ = server.CloseNow()
				_ = peer.Close()
			})
		})
	}
}
