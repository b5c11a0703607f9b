package transport

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// foreignTLS is the transport over a tls.Conn whose socket is not ours: TLS without
// NewListener. It keeps a buffer while it waits, and a write that is cut off ruins
// it, because crypto/tls forgets what the socket did not take.
type foreignTLS struct {
	nc *tls.Conn

	in   []byte
	r, w int
	err  error

	out     []byte // kept if it is small; one of foreignBuffers' if it is large
	pending atomic.Int64
	counts  struct{ in, out atomic.Int64 }
}

func (t *foreignTLS) Ready() bool { return t.r < t.w || t.err != nil }

func (t *foreignTLS) Read(p []byte) (int, error) {
	if t.r < t.w {
		n := copy(p, t.in[t.r:t.w])
		if t.r += n; t.r == t.w {
			t.Drop()
		}
		return n, nil
	}
	if t.err != nil {
		return 0, t.err
	}
	return 0, ErrWouldBlock
}

// Wait reads: there is no other way to learn of bytes. A read deadline is a
// temporary error to crypto/tls, so it may be asked again.
func (t *foreignTLS) Wait() error {
	if t.Ready() {
		return nil
	}
	if t.in == nil {
		t.in = bufpool.Get(bufpool.Record)
	}
	n, err := t.nc.Read(t.in)
	t.r, t.w = 0, n
	t.counts.in.Add(int64(n))
	if err != nil && os.IsTimeout(err) {
		return err
	}
	t.err = err
	return nil
}

// Loop waits as Wait does.
func (t *foreignTLS) Loop(handle func() bool) error {
	for {
		if err := t.Wait(); err != nil {
			return err
		}
		if !handle() {
			return nil
		}
	}
}

func (t *foreignTLS) Drop() {
	bufpool.Put(t.in)
	t.in, t.r, t.w = nil, 0, 0
}

// foreignBuffers are for what is longer than keptOut. They are not bufpool's, as what is queued when a connection ends is not
// given back.
var foreignBuffers = sync.Pool{New: func() any { return new([bufpool.Bulk]byte) }}

// keptOut is how many bytes a connection keeps for what it sends next.
const keptOut = bufpool.Small

func (t *foreignTLS) Write(p []byte, _ bool) error {
	if n := len(t.out) + len(p); n > keptOut && n <= bufpool.Bulk && n > cap(t.out) {
		b := foreignBuffers.Get().(*[bufpool.Bulk]byte)
		t.out = b[:copy(b[:], t.out)]
	}
	t.out = append(t.out, p...)
	t.pending.Store(int64(len(t.out)))
	return nil
}

func (t *foreignTLS) Flush() error {
	if len(t.out) == 0 {
		return nil
	}
	n, err := t.nc.Write(t.out)
	t.counts.out.Add(int64(n))
	switch t.out = t.out[:0]; {
	case cap(t.out) == bufpool.Bulk:
		foreignBuffers.Put((*[bufpool.Bulk]byte)(t.out[:bufpool.Bulk]))
		t.out = nil
	case cap(t.out) > keptOut:
		t.out = nil
	}
	t.pending.Store(0)
	return err
}

// TryFlush sends nothing: crypto/tls would wait.
func (t *foreignTLS) TryFlush() (bool, error) { return len(t.out) == 0, nil }

func (t *foreignTLS) Pending() int64 { return t.pending.Load() }
func (t *foreignTLS) Shut() error    { return t.nc.CloseWrite() }
func (t *foreignTLS) Notify()        {} // Shut does it: crypto/tls may wait

func (t *foreignTLS) SetReadDeadline(d time.Time) error  { return t.nc.SetReadDeadline(d) }
func (t *foreignTLS) SetWriteDeadline(d time.Time) error { return t.nc.NetConn().SetWriteDeadline(d) }

// Close closes the socket: tls.Conn.Close would wait to send an alert.
func (t *foreignTLS) Close() error    { return t.nc.NetConn().Close() }
func (t *foreignTLS) Resumable() bool { return false }

// Truncated cannot tell: crypto/tls reports a missing close_notify between two
// records as io.EOF, too.
func (t *foreignTLS) Truncated() bool { return t.err == io.ErrUnexpectedEOF }

func (t *foreignTLS) Counts() (in, out int64) { return t.counts.in.Load(), t.counts.out.Load() }
func (t *foreignTLS) NetConn() net.Conn       { return t.nc }
