//go:build unix

package conn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// watched is a socket that counts how often it is asked to read or to write: calls of
// the poller's callbacks, and of Write.
type watched struct {
	*net.TCPConn
	reads, writes atomic.Int64
}

func (s *watched) SyscallConn() (syscall.RawConn, error) {
	raw, err := s.TCPConn.SyscallConn()
	return &watchedRaw{raw, s}, err
}

func (s *watched) Write(p []byte) (int, error) {
	s.writes.Add(1)
	return s.TCPConn.Write(p)
}

type watchedRaw struct {
	syscall.RawConn
	s *watched
}

func (r *watchedRaw) Read(f func(uintptr) bool) error {
	return r.RawConn.Read(func(fd uintptr) bool { r.s.reads.Add(1); return f(fd) })
}

func (r *watchedRaw) Write(f func(uintptr) bool) error {
	return r.RawConn.Write(func(fd uintptr) bool { r.s.writes.Add(1); return f(fd) })
}

// stormy returns a server over our wire whose socket is watched, and its bare peer.
func stormy(t *testing.T, route string) (peer net.Conn, below *net.TCPConn, sock *watched, server *Conn) {
	t.Helper()
	cn, sn := ends(t, "plain")
	below, sock = cn.(*net.TCPConn), &watched{TCPConn: sn.(*net.TCPConn)}
	peer = cn
	raw, err := sock.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var nc net.Conn = wire.NewOver(sock, raw)
	if route == "tls" {
		sc, cc := testtls.Configs(tls.VersionTLS13)
		tc, ts := tls.Client(cn, cc), tls.Server(wire.NewOver(sock, raw), sc)
		failed := make(chan error, 1)
		go func() { failed <- tc.Handshake() }()
		if err := errors.Join(ts.Handshake(), <-failed); err != nil {
			t.Fatal(err)
		}
		peer, nc = tc, ts
	}
	server = newConn(transport.New(nc), frame.Server, "", newSettings(0, 0, 0, 0).queueing(4<<20, CloseWhenFull), nil, nil)
	t.Cleanup(func() { _ = server.CloseNow(); _ = peer.Close(); _ = below.Close() })
	return peer, below, sock, server
}

// onlyOne holds records back and sends them a byte at a time.
type onlyOne struct{ net.Conn }

func (s onlyOne) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := s.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// TestAByteAtATimeIsAWakeupAtATime: a socket that turns readable for each byte of many
// costs at most a few turns for each, in Serve's loop and in Read's, and nothing is lost.
func TestAByteAtATimeIsAWakeupAtATime(t *testing.T) {
	for _, how := range []string{"Serve", "Read"} {
		accounted(t, how, func(t *testing.T) {
			const size, count = 500, 8
			peer, _, sock, server := stormy(t, "plain")
			got := make(chan string, count)
			done := make(chan error, 1)
			go func() {
				if how == "Serve" {
					done <- server.Serve(bg, func(_ *Conn, m Message) error { got <- string(m.Data); return nil })
					return
				}
				for {
					_, p, err := server.Read(bg)
					if err != nil {
						done <- err
						return
					}
					got <- string(p)
				}
			}()
			text := string(bytes.Repeat([]byte("0123456789"), size/10))
			whole := masked(frame.Header{Fin: true, Opcode: frame.Text}, text)
			for range count {
				if _, err := (onlyOne{peer}).Write(whole); err != nil {
					t.Fatal(err)
				}
				if p := <-got; p != text {
					t.Fatalf("got %q", p)
				}
			}
			bytes := int64(len(whole) * count)
			if n := sock.reads.Load(); n > 3*bytes+20 {
				t.Errorf("%d turns for %d bytes", n, bytes)
			}
			// A turn must not stay where there is nothing to read, either.
			_, _ = peer.Write(whole[:10])
			for end := time.Now().Add(patience); ; {
				turns, used := sock.reads.Load(), cpuTime()
				for range 5 {
					<-soon(t).Done()
				}
				turns, used = sock.reads.Load()-turns, cpuTime()-used
				if turns <= 20 && used <= 60*time.Millisecond {
					break
				}
				if time.Now().After(end) { // before, it may have been the garbage collector
					t.Errorf("%d turns and %v of processor time in 100 ms without input", turns, used)
					break
				}
			}
			_ = server.CloseNow()
			<-done
		})
	}
}

// TestAFullSocketIsNotSpunOn: a write to a peer that takes a byte now and then waits in
// the poller. Neither attempts nor processor time grow while it does, and when the peer
// reads at last, all is there and in order.
func TestAFullSocketIsNotSpunOn(t *testing.T) {
	if testing.Short() {
		t.Skip("watches the processor time for seconds")
	}
	if !apart(t) {
		return
	}
	for _, route := range []string{"tls", "plain"} {
		for _, how := range []string{"Write", "Send"} {
			accounted(t, route+","+how, func(t *testing.T) {
				peer, below, sock, server := stormy(t, route)
				tighten(8<<10, below, sock.TCPConn)
				reading := server.CloseRead(bg)
				const count, size = 40, 64 << 10
				written := make(chan error, 1)
				go func() {
					var err error
					for i := range count {
						p := bytes.Repeat([]byte{byte(i)}, size)
						if how == "Write" {
							err = errors.Join(err, server.Write(bg, Binary, p))
						} else if m, bad := Prepare(Binary, p); bad == nil {
							err = errors.Join(err, server.Send(bg, m))
						}
					}
					written <- err
				}()
				if how == "Write" {
					awaitFull(t, server)
				} else { // Send does not wait, and each tries once
					err := <-written
					written <- err
				}
				taken := stalled(t, sock, peer)
				if err := drained(io.MultiReader(bytes.NewReader(taken), peer), count, size); err != nil {
					t.Error(err)
				}
				if err := <-written; err != nil {
					t.Error(err)
				}
				_ = server.CloseNow()
				<-reading.Done()
			})
		}
	}
}

// awaitFull returns when something has been waiting for the kernel for a while.
func awaitFull(t *testing.T, c *Conn) {
	t.Helper()
	for last, same := int64(-1), 0; same < 3; {
		<-soon(t).Done()
		now := c.transport.Pending()
		if same++; now == 0 || now != last {
			same = 0
		}
		last = now
	}
}

// stalled has the peer take a byte now and then, and looks at what that costs us. It
// returns those bytes.
func stalled(t *testing.T, sock *watched, peer net.Conn) (taken []byte) {
	t.Helper()
	const rounds = 10
	for end := time.Now().Add(patience); ; {
		before, used := sock.writes.Load(), cpuTime()
		for range rounds {
			var b [1]byte
			if _, err := io.ReadFull(peer, b[:]); err != nil {
				t.Fatal(err)
			}
			taken = append(taken, b[0])
			<-soon(t).Done()
		}
		n, cpu := sock.writes.Load()-before, cpuTime()-used
		if n <= 100*rounds && cpu <= 100*time.Millisecond { // spinning would be tens of thousands
			return taken
		}
		if time.Now().After(end) { // before, it may have been the garbage collector
			t.Errorf("%d attempts to write in %d rounds, %v of processor time while nothing could be done", n, rounds, cpu)
			return taken
		}
	}
}

// drained reads count messages, each of one byte's value.
func drained(r io.Reader, count, size int) error {
	for i := range count {
		var head [10]byte // FIN and Binary, 64 bits of length
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		var h frame.Header
		if n, err := h.Parse(head[:]); n != len(head) || err != nil || h.Length != int64(size) {
			return fmt.Errorf("message %d: %+v, %w", i, h, err)
		}
		p := make([]byte, size)
		if _, err := io.ReadFull(r, p); err != nil || !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, size)) {
			return fmt.Errorf("message %d is not what was sent, %w", i, err)
		}
	}
	return nil
}
