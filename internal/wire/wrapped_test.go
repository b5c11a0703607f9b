package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// rot is a socket that enciphers what passes: its own Read and Write are the truth, although it
// has the socket's SyscallConn.
type rot struct{ *net.TCPConn }

func (r rot) Read(p []byte) (int, error) {
	n, err := r.TCPConn.Read(p)
	for i := range p[:n] {
		p[i] ^= 0x5A
	}
	return n, err
}

func (r rot) Write(p []byte) (int, error) {
	q := make([]byte, len(p))
	for i, b := range p {
		q[i] = b ^ 0x5A
	}
	return r.TCPConn.Write(q)
}

// TestAWrappedSocketIsNotBypassed: every byte passes through the wrapper's Read and Write, before Switch and after.
func TestAWrappedSocketIsNotBypassed(t *testing.T) {
	cs, ss := sockets(t)
	c := Plain(rot{ss.(*net.TCPConn)})
	if c.descriptor != nil {
		t.Fatal("the descriptor of a wrapped socket is used")
	}
	c.Switch()
	if _, err := c.Write([]byte("secret")); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 6)
	if _, err := io.ReadFull(cs, buf); err != nil || strings.Contains(string(buf), "secret") {
		t.Errorf("on the socket: %q, %v", buf, err)
	}
	if _, err := (rot{cs.(*net.TCPConn)}).Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "answer" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func TestTheDescriptorIsUsedForSocketsOnly(t *testing.T) {
	tcp, _ := sockets(t)
	socketed, other := net.Pipe()
	defer socketed.Close()
	defer other.Close()
	for _, tt := range []struct {
		name string
		nc   net.Conn
		want bool
	}{
		{"a TCP socket", tcp, runtime.GOOS != "windows"},
		{"a type that embeds one", rot{tcp.(*net.TCPConn)}, false},
		{"a pointer to such a type", &rot{tcp.(*net.TCPConn)}, false},
		{"a struct with nothing of its own", struct{ net.Conn }{tcp}, false},
		{"a pipe", socketed, false},
		{"TLS", tls.Client(tcp, &tls.Config{ServerName: "localhost"}), false},
	} {
		if got := descriptorOf(tt.nc) != nil; got != tt.want {
			t.Errorf("%s: descriptor used: %v", tt.name, got)
		}
	}
}

// TestAnOverlongRecordOfTheHandshakeIsRefused as crypto/tls by itself refuses it, whatever of it is there.
func TestAnOverlongRecordOfTheHandshakeIsRefused(t *testing.T) {
	sc, _ := testtls.Configs(tls.VersionTLS13)
	for _, claimed := range []int{16384 + 1, 16384 + 2048, 16384 + 2048 + 1, 1 << 15, 1<<16 - 1} {
		for _, sent := range []int{0, 600, 2000} {
			t.Run(fmt.Sprintf("%d bytes claimed, %d sent", claimed, sent), func(t *testing.T) {
				said := func(wrap func(net.Conn) net.Conn) (answer []byte, err error) {
					cs, ss := sockets(t)
					head := []byte{handshake, 3, 1, byte(claimed >> 8), byte(claimed)}
					if _, err := cs.Write(append(head, make([]byte, sent)...)); err != nil {
						t.Fatal(err)
					}
					_ = cs.(*net.TCPConn).CloseWrite()
					err = tls.Server(wrap(ss), sc).Handshake()
					_ = ss.(*net.TCPConn).CloseWrite()
					answer, _ = io.ReadAll(cs)
					return answer, err
				}
				wantAnswer, want := said(func(nc net.Conn) net.Conn { return nc })
				answer, err := said(func(nc net.Conn) net.Conn { return New(nc) })
				if err == nil || want == nil || err.Error() != want.Error() || string(answer) != string(wantAnswer) {
					t.Errorf("got %v and % x, crypto/tls by itself gives %v and % x", err, answer, want, wantAnswer)
				}
			})
		}
	}
}

// TestCloseWriteSaysWhereItIsUnsupported: who needs the other side to see an end must know.
func TestCloseWriteSaysWhereItIsUnsupported(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if err := Plain(a).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a pipe: %v", err)
	}
	_, ss := sockets(t)
	if err := Plain(ss).CloseWrite(); err != nil {
		t.Errorf("a socket: %v", err)
	}
}

// TestCloseInsideLoopReachesThePeerAtOnce, although the handler that it is called beside goes on.
func TestCloseInsideLoopReachesThePeerAtOnce(t *testing.T) {
	cs, ss := sockets(t)
	c := Plain(ss)
	c.Switch()
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- c.Loop(func() bool {
			close(inside)
			<-leave
			return false
		})
	}()
	if _, err := cs.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-inside
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	// The handler is held until the peer has seen the end, so a late one would hang here.
	if n, err := cs.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the peer read %d bytes, %v", n, err)
	}
	close(leave)
	<-done
	c.Drop()
}

// TestWhatThePeersHostHasNotAcknowledged counts down as the peer reads.
func TestWhatThePeersHostHasNotAcknowledged(t *testing.T) {
	cs, ss := sockets(t)
	if _, known := Unacknowledged(ss); !known {
		t.Skip("the kernel does not tell here")
	}
	_ = ss.(*net.TCPConn).SetWriteBuffer(64 << 10)
	c := Plain(ss)
	c.Switch()
	if _, err := c.Write(make([]byte, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if done, err := c.TryFlush(); done || err != nil {
		t.Fatal("the socket took all of it:", err)
	}
	if n, _ := Unacknowledged(ss); n == 0 {
		t.Error("nothing is held for a peer that does not read")
	}
	go func() { _, _ = io.Copy(io.Discard, cs) }()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		if n, _ := Unacknowledged(ss); n == 0 {
			break
		}
	}
	if _, known := Unacknowledged(rot{ss.(*net.TCPConn)}); known {
		t.Error("told of a wrapped socket")
	}
}

// TestCloseDoesNotWaitForATLSConnectionBelow, whose close_notify nobody takes.
func TestCloseDoesNotWaitForATLSConnectionBelow(t *testing.T) {
	synctest.Test(t, closeOverTLS) // in real time a busy machine may take as long as crypto/tls waits
}

func closeOverTLS(t *testing.T) {
	near, far := net.Pipe()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	outer, proxy := tls.Client(near, cc), tls.Server(far, sc)
	failed := make(chan error, 1)
	go func() { failed <- proxy.Handshake() }()
	if err := errors.Join(outer.Handshake(), <-failed); err != nil {
		t.Fatal(err)
	}
	c := Plain(outer)
	began := time.Now()
	_ = c.Close()
	if took := time.Since(began); took > 0 { // crypto/tls waits five seconds
		t.Errorf("it took %v", took)
	}
	_, _ = io.Copy(io.Discard, far)
	_ = far.Close()
	_ = near.Close()
}
