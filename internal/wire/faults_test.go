package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// lent runs f and fails if buffers that it borrowed are not returned.
func lent(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	bufpool.Track(true)
	defer bufpool.Track(false)
	t.Run(name, f)
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%s: %d buffers not returned", name, n)
	}
}

// sealed returns the record that p's client seals text in. It does not send it.
func sealed(t *testing.T, p peers, text string) []byte {
	t.Helper()
	if _, err := p.client.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := io.ReadAtLeast(p.client.NetConn().(*held).kept, buf, headerSize)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// held keeps what is written instead of sending it, once it is told to.
type held struct {
	net.Conn
	kept *bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	if h.kept != nil {
		return h.kept.Write(p)
	}
	return h.Conn.Write(p)
}

// connectHeld is connect with a client whose records are held back.
func connectHeld(t *testing.T, version uint16) (p peers, socket net.Conn) {
	t.Helper()
	cs, ss := sockets(t)
	sc, cc := testtls.Configs(version)
	h := &held{Conn: cs}
	p = peers{w: New(ss), client: tls.Client(h, cc)}
	p.server = tls.Server(p.w, sc)
	failed := make(chan error, 1)
	go func() { failed <- p.client.Handshake() }()
	if err := errors.Join(p.server.Handshake(), <-failed); err != nil {
		t.Fatal(err)
	}
	p.w.Switch()
	h.kept = new(bytes.Buffer)
	return p, cs
}

// TestARecordCutAfterAnyByteIsTruncated, and one of which any bit is flipped is refused:
// the bytes of neither come out as data.
func TestARecordCutAfterAnyByteIsTruncated(t *testing.T) {
	const text = "not a byte of this"
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		lent(t, fmt.Sprintf("%x", version), func(t *testing.T) {
			for cut := 1; ; cut++ {
				p, socket := connectHeld(t, version)
				r := sealed(t, p, text)
				if cut == len(r) {
					p.w.Drop()
					return
				}
				_, _ = socket.Write(r[:cut])
				_ = socket.Close()
				n, err := p.read(make([]byte, 100))
				if n != 0 || err != io.ErrUnexpectedEOF || !p.w.Truncated() {
					t.Errorf("cut after %d bytes: %d bytes, %v, truncated %v", cut, n, err, p.w.Truncated())
				}
				_ = p.w.Close()
				p.w.Drop()
			}
		})
	}
}

func TestAFlippedBitOfARecordIsRefused(t *testing.T) {
	const text = "not a bit of this"
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		lent(t, fmt.Sprintf("%x", version), func(t *testing.T) {
			for at := 0; ; at++ {
				p, socket := connectHeld(t, version)
				r := sealed(t, p, text)
				if at == len(r) {
					p.w.Drop()
					return
				}
				r[at] ^= 1 << (at % 8)
				_, _ = socket.Write(r)
				_ = socket.(*net.TCPConn).CloseWrite()
				n, err := p.read(make([]byte, 100))
				if n != 0 || err == nil || err == io.EOF {
					t.Errorf("byte %d: %d bytes, %v", at, n, err)
				}
				if _, again := p.read(make([]byte, 100)); again == nil || errors.Is(again, ErrWouldBlock) {
					t.Errorf("byte %d: read again: %v", at, again)
				}
				_ = p.w.Close()
				p.w.Drop()
			}
		})
	}
}

// fickle is a socket without a descriptor that the test can see, whose writes are short
// and whose deadlines pass at any time.
type fickle struct {
	*pipe.End
	n int
}

func (f *fickle) Write(p []byte) (int, error) {
	f.n++
	k := min(len(p), 1+f.n%3)
	n, err := f.End.Write(p[:k])
	if err == nil && (k < len(p) || f.n%2 == 0) {
		err = errNotNow // as a deadline that passes after some bytes
	}
	return n, err
}

var errNotNow error = notNow{}

type notNow struct{}

func (notNow) Error() string   { return "not now" }
func (notNow) Timeout() bool   { return true }
func (notNow) Temporary() bool { return true }

// TestShortWritesLoseNothing: each flush gets rid of a byte or three and is cut off. The
// queue's chunks end at any place within what is written at once.
func TestShortWritesLoseNothing(t *testing.T) {
	for first := range 12 {
		lent(t, fmt.Sprint(first), func(t *testing.T) { shortWrites(t, first) })
	}
}

func shortWrites(t *testing.T, first int) {
	a, b := pipe.New(1 << 20)
	c := Plain(&fickle{End: b, n: first})
	c.Switch()
	var want []byte
	for i := range 300 {
		p := bytes.Repeat([]byte{byte(i)}, 1+i%50)
		want = append(want, p...)
		_, _ = c.Write(p)
		before := c.BytesWritten()
		if err := c.Flush(); err != nil && err != errNotNow || c.BytesWritten() == before {
			t.Fatalf("%v, %d bytes", err, c.BytesWritten()-before)
		}
		if c.BytesWritten()+c.Pending() != int64(len(want)) {
			t.Fatalf("%d written, %d pending of %d", c.BytesWritten(), c.Pending(), len(want))
		}
	}
	for range want {
		_ = c.Flush()
	}
	if n := c.Pending(); n != 0 {
		t.Errorf("%d bytes are left", n)
	}
	_ = c.Close()
	if got, _ := io.ReadAll(a); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes of %d", len(got), len(want))
	}
}

// TestAResetEndsWaitingReadingAndFlushing, with what the network said, and the queue is
// given back.
func TestAResetEndsWaitingReadingAndFlushing(t *testing.T) {
	lent(t, "reset", func(t *testing.T) {
		for _, how := range []string{"Wait", "Loop", "Flush"} {
			cs, ss := sockets(t)
			c := Plain(ss)
			c.Switch()
			ended := make(chan error, 1)
			if how == "Flush" {
				for range 400 {
					_, _ = c.Write(make([]byte, 64<<10))
				}
			}
			go func() {
				var err error
				switch how {
				case "Wait":
					err = c.Wait()
				case "Loop":
					err = c.Loop(func() bool { return false })
				case "Flush":
					ended <- c.Flush()
					return
				}
				if err == nil {
					_, err = c.Read(make([]byte, 10))
				}
				ended <- err
			}()
			_ = cs.(*net.TCPConn).SetLinger(0)
			_ = cs.Close()
			select {
			case err := <-ended:
				if _, ok := errors.AsType[*net.OpError](err); !ok || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
					t.Errorf("%s: %v", how, err)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("%s hangs", how)
			}
			_ = c.Close()
			c.Drop()
			if c.Pending() != 0 {
				t.Errorf("%s: %d bytes are left", how, c.Pending())
			}
		}
	})
}
