package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// past is a deadline that has expired.
var past = time.Unix(1, 0)

// sockets returns the two ends of a TCP connection.
func sockets(t testing.TB) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// peers is a TLS connection over a socket: ours on the server's side, in
// messages already; a stock one on the client's.
type peers struct {
	w      *Conn
	server *tls.Conn
	client *tls.Conn
}

func connect(t testing.TB, version uint16, change func(server, client *tls.Config)) peers {
	t.Helper()
	cs, ss := sockets(t)
	sc, cc := testtls.Configs(version)
	if change != nil {
		change(sc, cc)
	}
	w := New(ss)
	p := peers{w: w, server: tls.Server(w, sc), client: tls.Client(cs, cc)}
	failed := make(chan error, 1)
	go func() { failed <- p.client.Handshake() }()
	if err := errors.Join(p.server.Handshake(), <-failed); err != nil {
		t.Fatal(err)
	}
	w.Switch()
	return p
}

// read is what package conn does: ask, wait, ask again.
func (p peers) read(b []byte) (int, error) {
	for {
		n, err := p.server.Read(b)
		if !errors.Is(err, ErrWouldBlock) {
			return n, err
		}
		if err := p.w.Wait(); err != nil {
			return 0, err
		}
	}
}

func (p peers) readFull(t testing.TB, n int) []byte {
	t.Helper()
	out := make([]byte, 0, n)
	for len(out) < n {
		k, err := p.read(out[len(out):n])
		if err != nil {
			t.Fatal(err)
		}
		out = out[:len(out)+k]
	}
	return out
}

// insideTLS returns the ciphertext that crypto/tls holds.
func insideTLS(c *tls.Conn) int {
	raw := reflect.ValueOf(c).Elem().FieldByName("rawInput")
	return raw.FieldByName("buf").Len() - int(raw.FieldByName("off").Int())
}

func record(typ byte, n int) []byte {
	return append([]byte{typ, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{typ}, n)...)
}

func TestReadHandsOverWholeRecordsAndNeverBytesOfTheNext(t *testing.T) {
	sizes := []int{1, 0, 5, 16384, 16384 + 256, 100}
	var input []byte
	for i, n := range sizes {
		input = append(input, record(byte(0x16+i%2), n)...)
	}
	for _, piece := range []int{1, 3, 700, 5000, len(input)} {
		a, b := pipe.New(1 << 20)
		c := New(b)
		c.Switch()
		var got []int
		buf := make([]byte, 64<<10)
		for rest := input; len(rest) > 0; {
			k := min(piece, len(rest))
			if _, err := a.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
			for {
				if !c.Ready() && a.Buffered() == 0 {
					if n, err := c.Read(buf); n != 0 || err != ErrWouldBlock {
						t.Fatalf("pieces of %d: %d bytes of a part of a record, %v", piece, n, err)
					}
					break
				}
				if !c.Ready() {
					if err := c.fill(); err != nil {
						t.Fatal(err)
					}
					continue
				}
				n, err := c.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, n-headerSize)
			}
		}
		if !reflect.DeepEqual(got, sizes) {
			t.Errorf("pieces of %d: records of %v, want %v", piece, got, sizes)
		}
	}
}

func TestAfterEachReadNothingIsLeftInsideTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := connect(t, version, nil)
		go func() {
			for i := range 2000 {
				_, _ = p.client.Write(make([]byte, 1+i*13%20000))
			}
			_ = p.client.CloseWrite()
		}()
		buf := make([]byte, 20<<10)
		for reads := 0; ; reads++ {
			_, err := p.read(buf)
			if n := insideTLS(p.server); n != 0 {
				t.Fatalf("TLS %x: %d bytes of ciphertext after read %d", version, n, reads)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if p.w.Truncated() {
			t.Error("close_notify taken for a truncation")
		}
	}
}

func TestMegabytesInBothDirections(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := connect(t, version, nil)
		sent := make([]byte, 8<<20)
		_, _ = rand.Read(sent)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = p.client.Write(sent) })
		wg.Go(func() {
			for off := 0; off < len(sent); off += 64 << 10 {
				if _, err := p.server.Write(sent[off : off+64<<10]); err != nil {
					t.Error(err)
				}
				if err := p.w.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
		var back []byte
		wg.Go(func() {
			back = make([]byte, len(sent))
			if _, err := io.ReadFull(p.client, back); err != nil {
				t.Error(err)
			}
		})
		got := p.readFull(t, len(sent))
		wg.Wait()
		if !bytes.Equal(got, sent) || !bytes.Equal(back, sent) {
			t.Errorf("TLS %x: bytes differ", version)
		}
		if p.w.BytesRead() <= int64(len(sent)) || p.w.BytesWritten() <= int64(len(sent)) || p.w.Pending() != 0 {
			t.Errorf("counters: read %d, written %d, pending %d", p.w.BytesRead(), p.w.BytesWritten(), p.w.Pending())
		}
	}
}

func TestAnIdleConnectionHoldsNoBuffer(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	p := connect(t, tls.VersionTLS13, nil)
	if p.w.descriptor == nil {
		t.Skip("readiness cannot be awaited on this system")
	}
	for range 3 {
		if _, err := p.client.Write(make([]byte, 3000)); err != nil {
			t.Fatal(err)
		}
		p.readFull(t, 3000)
		if _, err := p.server.Write(make([]byte, 3000)); err != nil {
			t.Fatal(err)
		}
		if err := p.w.Flush(); err != nil {
			t.Fatal(err)
		}
		// While it waits, too: the deadline ends the wait, not the connection.
		_ = p.w.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if err := p.w.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		_ = p.w.SetReadDeadline(time.Time{})
		if n := bufpool.Outstanding(); n != 0 || p.w.in != nil {
			t.Errorf("%d buffers held", n)
		}
	}
}

func TestAPeerThatStallsInsideARecordHoldsLittle(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []byte // a record that is read
		part   int    // bytes of the record behind it that have come
		want   int
	}{
		{"the first record", nil, 100, bufpool.Small},
		{"behind another", record(0x17, 5000), 100, bufpool.Small},
		{"after a few thousand bytes", nil, 3000, bufpool.Medium},
		{"after the most of it", nil, 15_000, bufpool.Record},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cs, ss := sockets(t)
			c := TLS(ss)
			c.Switch()
			if c.descriptor == nil {
				t.Skip("readiness cannot be awaited on this system")
			}
			input := append(bytes.Clone(tt.before), record(0x17, 16000)...)
			come := len(tt.before) + tt.part
			if _, err := cs.Write(input[:come]); err != nil {
				t.Fatal(err)
			}
			if len(tt.before) > 0 {
				if err := c.Wait(); err != nil {
					t.Fatal(err)
				}
				if n, err := c.Read(make([]byte, 20_000)); n != len(tt.before) || err != nil {
					t.Fatal(n, err)
				}
			}
			for ended := false; !ended; ended = c.w-c.r == tt.part { // a deadline may pass before anything is read
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				if err := c.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
			}
			if len(c.in) != tt.want || c.w-c.r != tt.part {
				t.Errorf("a buffer of %d for %d bytes, want %d", len(c.in), c.w-c.r, tt.want)
			}
			_ = c.SetReadDeadline(time.Time{})
			if _, err := cs.Write(input[come:]); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(); err != nil || !c.Ready() || c.w-c.r != 16005 {
				t.Errorf("%v, %d bytes", err, c.w-c.r)
			}
		})
	}
}

func TestThePlainEndBeforeMessagesIsSeen(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(peer, ours net.Conn)
		err  error
	}{
		{"the peer has closed", func(peer, ours net.Conn) { _ = peer.Close() }, io.EOF},
		{"a deadline has passed", func(peer, ours net.Conn) { _ = ours.SetReadDeadline(past) }, os.ErrDeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, ours := sockets(t)
			c := Plain(ours)
			tt.end(peer, ours)
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, tt.err) || c.Truncated() != (tt.err == io.EOF) {
				t.Errorf("%v, truncated %v", err, c.Truncated())
			}
		})
	}
}

func TestSetDeadlineBoundsBothDirections(t *testing.T) {
	_, ours := sockets(t)
	c := Plain(ours)
	if err := c.SetDeadline(past); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	_ = c.Close()
	if err := c.SetDeadline(past); !errors.Is(err, net.ErrClosed) {
		t.Errorf("of a closed connection: %v", err)
	}
}

// TestTheEndHoldsNoBuffer: neither while it waits to be read nor afterwards.
func TestTheEndHoldsNoBuffer(t *testing.T) {
	for _, kind := range []string{"socket", "pipe"} {
		lent(t, kind, func(t *testing.T) {
			var a, b net.Conn
			if kind == "socket" {
				a, b = sockets(t)
			} else {
				a, b = pipe.New(1 << 10)
			}
			c := TLS(b)
			c.Switch()
			_ = a.Close()
			if err := c.Wait(); err != nil || c.in != nil {
				t.Errorf("%v, a buffer of %d", err, len(c.in))
			}
			if n, err := c.Read(make([]byte, 10)); n != 0 || err != io.EOF {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

// TestReserve makes room for a record's rest, and keeps the buffer if it can.
func TestReserve(t *testing.T) {
	for _, tt := range []struct {
		name    string
		size    int // of the buffer, 0 for none
		r, w    int
		min     int
		want    int // size
		r2, w2  int
		another bool
	}{
		{"no buffer", 0, 0, 0, bufpool.Medium, bufpool.Medium, 0, 0, true},
		{"half of it is free behind the bytes", bufpool.Medium, 1000, 2048, bufpool.Medium, bufpool.Medium, 1000, 2048, false},
		{"half of it is free, but not behind", bufpool.Medium, 3000, 4096, bufpool.Medium, bufpool.Medium, 0, 1096, false},
		{"the bytes take the most of it", bufpool.Medium, 1000, 4000, bufpool.Medium, bufpool.Record, 0, 3000, true},
		{"it is smaller than is wanted", bufpool.Small, 0, 100, bufpool.Bulk, bufpool.Bulk, 0, 100, true},
		{"it is smaller, and full", bufpool.Small, 0, 1024, bufpool.Medium, bufpool.Medium, 0, 1024, true},
	} {
		lent(t, tt.name, func(t *testing.T) {
			var c Conn
			if tt.size > 0 {
				c.in, c.r, c.w = bufpool.Get(tt.size), tt.r, tt.w
				for i := range c.in {
					c.in[i] = byte(i)
				}
			}
			before, held := c.in, bytes.Clone(c.in[c.r:c.w])
			c.reserve(tt.min)
			if len(c.in) != tt.want || c.r != tt.r2 || c.w != tt.w2 {
				t.Errorf("[%d:%d] of %d bytes, want [%d:%d] of %d", c.r, c.w, len(c.in), tt.r2, tt.w2, tt.want)
			}
			if !bytes.Equal(c.in[c.r:c.w], held) {
				t.Error("other bytes")
			}
			if another := before == nil || &before[0] != &c.in[0]; another != tt.another {
				t.Errorf("another buffer: %v", another)
			}
			c.release()
		})
	}
}

func TestAfterDropReadSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ended bool // the peer has, and Read has said so
		want  error
	}{{"the connection was open", false, net.ErrClosed}, {"the peer had ended it", true, io.EOF}} {
		lent(t, tt.name, func(t *testing.T) {
			a, b := pipe.New(1 << 10)
			c := TLS(b)
			_, _ = a.Write(record(0x17, 100)[:50])
			if n, err := c.Read(make([]byte, 0)); n != 0 || err != nil {
				t.Fatal(n, err)
			}
			if err := c.fill(); err != nil {
				t.Fatal(err)
			}
			if tt.ended {
				_ = a.Close()
				if _, err := io.Copy(io.Discard, c); err != io.ErrUnexpectedEOF {
					t.Fatal(err)
				}
			}
			c.Drop()
			if n, err := c.Read(make([]byte, 10)); n != 0 || err != tt.want {
				t.Errorf("%d bytes, %v; want %v", n, err, tt.want)
			}
		})
	}
}

// TestCancelledReadLosesNothing gives up waiting between and inside records, on
// a socket and on a connection without readiness.
func TestCancelledReadLosesNothing(t *testing.T) {
	for _, kind := range []string{"socket", "pipe"} {
		t.Run(kind, func(t *testing.T) {
			var a, b net.Conn
			if kind == "socket" {
				a, b = sockets(t)
			} else {
				a, b = pipe.New(1 << 20)
			}
			c := TLS(b)
			c.Switch()
			input := append(record(0x17, 1000), record(0x17, 50)...)
			var got []byte
			buf := make([]byte, 4096)
			for i, cut := range []int{0, 1, 4, 5, 600, 1004, 1005, 1006, 1060} {
				prev := []int{0, 0, 1, 4, 5, 600, 1004, 1005, 1006}[i]
				if _, err := a.Write(input[prev:cut]); err != nil {
					t.Fatal(err)
				}
				_ = c.SetReadDeadline(past)
				for !c.Ready() { // what has come is kept, whichever deadline
					if err := c.Wait(); err != nil {
						if !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Fatal(err)
						}
						_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
						if err := c.Wait(); err != nil && cut < len(input) {
							break
						}
					}
				}
				for c.Ready() {
					n, err := c.Read(buf)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, buf[:n]...)
				}
			}
			if !bytes.Equal(got, input) {
				t.Errorf("got %d bytes, want %d", len(got), len(input))
			}
		})
	}
}

func TestTruncationIsToldFromCloseNotify(t *testing.T) {
	for _, tt := range []struct {
		name      string
		end       func(p peers)
		truncated bool
		err       error
	}{
		{"close_notify", func(p peers) { p.client.Close() }, false, io.EOF},
		{"FIN alone", func(p peers) { p.client.NetConn().Close() }, true, io.EOF},
		{"FIN inside a record", func(p peers) {
			_, _ = p.client.NetConn().Write(record(0x17, 100)[:50])
			p.client.NetConn().Close()
		}, true, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := connect(t, tls.VersionTLS13, nil)
			tt.end(p)
			_, err := p.read(make([]byte, 1))
			if err != tt.err || p.w.Truncated() != tt.truncated {
				t.Errorf("got %v, truncated %v", err, p.w.Truncated())
			}
		})
	}
}

func TestOversizedRecordIsRefusedAtItsHeader(t *testing.T) {
	p := connect(t, tls.VersionTLS13, nil)
	before := p.w.BytesWritten()
	if _, err := p.client.NetConn().Write([]byte{0x17, 3, 3, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	_, err := p.read(make([]byte, 1))
	if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
		t.Errorf("got %v", err)
	}
	if p.w.Pending()+p.w.BytesWritten() == before {
		t.Error("the alert was not written")
	}
}

func TestPlainConnectionsPassThrough(t *testing.T) {
	cs, ss := sockets(t)
	c := New(ss)
	if _, err := cs.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := c.Read(buf[:3])
	if string(buf[:n]) != "GET" || err != nil || !c.Plaintext() {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	if n, err = c.Read(buf); string(buf[:n]) != " / HTTP/1.1\r\n" || err != nil {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	if c.Truncated() {
		t.Error("an end was seen")
	}
	if _, err = cs.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if n, err = c.Read(buf); string(buf[:n]) != "more" || err != nil {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	c.Switch()
	if _, err = c.Read(buf); err != ErrWouldBlock {
		t.Fatal(err)
	}
	_, _ = cs.Write([]byte("message"))
	if err = c.Wait(); err != nil {
		t.Fatal(err)
	}
	if n, err = c.Read(buf); string(buf[:n]) != "message" || err != nil {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	_ = cs.Close()
	if err = c.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Read(buf); err != io.EOF || !c.Truncated() {
		t.Errorf("%v, truncated %v", err, c.Truncated())
	}
}

func TestSessionTicketsAndResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(fmt.Sprintf("%x", version), func(t *testing.T) {
			// Our end is the client's, which receives the tickets after the handshake.
			sc, cc := testtls.Configs(version)
			cc.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			for round := range 3 {
				cs, ss := sockets(t)
				w := TLS(cs)
				client, server := tls.Client(w, cc), tls.Server(ss, sc)
				go func() {
					_ = server.Handshake()
					_, _ = server.Write([]byte("hello"))
				}()
				if err := client.Handshake(); err != nil {
					t.Fatal(err)
				}
				w.Switch()
				p := peers{w: w, server: client}
				if got := p.readFull(t, 5); string(got) != "hello" {
					t.Fatalf("got %q", got)
				}
				if resumed := client.ConnectionState().DidResume; resumed != (round > 0) {
					t.Errorf("round %d: resumed %v", round, resumed)
				}
				if n := insideTLS(client); n != 0 {
					t.Errorf("%d bytes inside TLS", n)
				}
			}
		})
	}
}
