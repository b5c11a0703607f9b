package conn

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// loop is a transport that hands over the same frames again and again, and forgets
// what is sent: what is left is our own work.
type loop struct {
	frames []byte
	rounds int
}

func (l *loop) Ready() bool { return true }
func (l *loop) Read(p []byte) (int, error) {
	if l.rounds--; l.rounds < 0 {
		return 0, net.ErrClosed // at an io.EOF a server waits for answers in the making
	}
	return copy(p, l.frames), nil
}
func (l *loop) Wait() error { return nil }
func (l *loop) Loop(handle func() bool) error {
	for handle() {
	}
	return nil
}
func (l *loop) Drop()                            {}
func (l *loop) Write(p []byte, _ bool) error     { return nil }
func (l *loop) Flush() error                     { return nil }
func (l *loop) TryFlush() (bool, error)          { return true, nil }
func (l *loop) Pending() int64                   { return 0 }
func (l *loop) Shut() error                      { return nil }
func (l *loop) SetReadDeadline(time.Time) error  { return nil }
func (l *loop) SetWriteDeadline(time.Time) error { return nil }
func (l *loop) Close() error                     { return nil }
func (l *loop) Notify()                          {}
func (l *loop) Resumable() bool                  { return true }
func (l *loop) Truncated() bool                  { return false }
func (l *loop) Counts() (in, out int64)          { return 0, 0 }
func (l *loop) NetConn() net.Conn                { return nil }

// BenchmarkServeBatch is an echo of 64 messages at a time without TLS and system calls.
func BenchmarkServeBatch(b *testing.B) {
	for _, size := range []int{32, 200} {
		var frames []byte
		for range 64 {
			frames = append(frames, masked(frame.Header{Fin: true, Opcode: frame.Binary}, string(make([]byte, size)))...)
		}
		b.Run(fmt.Sprint(size, "B"), func(b *testing.B) {
			b.ReportAllocs()
			l := &loop{frames: frames, rounds: (b.N + 63) / 64}
			set := newSettings(0, 0, -1, 0)
			c := newConn(l, frame.Server, "", set, nil, nil)
			_ = c.Serve(bg, func(c *Conn, m Message) error { return c.Write(bg, m.Type, m.Data) })
		})
	}
}
