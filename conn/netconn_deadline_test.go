package conn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

// TestNetConnBehavesAsANetConn is the conformance test of golang.org/x/net.
func TestNetConnBehavesAsANetConn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"pipe", "plain", "tls over pipe", "tls"} {
		for _, first := range []string{"client", "server"} {
			t.Run(kind+", the first is the "+first, func(t *testing.T) {
				t.Parallel()
				nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
					client, server := pair(t, kind)
					a, b = client.NetConn(Binary), server.NetConn(Binary)
					if first == "server" {
						a, b = b, a
					}
					stop = func() { // a test may return while one side still closes
						var both sync.WaitGroup
						both.Go(func() { _ = a.Close() })
						both.Go(func() { _ = b.Close() })
						both.Wait()
					}
					return a, b, stop, nil
				})
			})
		}
	}
}

// TestAWriteWhoseDeadlinePassesSaysWhatWasTaken: whoever goes on at p[n:] sends the stream once.
func TestAWriteWhoseDeadlinePassesSaysWhatWasTaken(t *testing.T) {
	const size = 300_000
	for _, tt := range []struct {
		name  string
		begin bool // a message before it fills the stream
		n     int
	}{
		{"a message that had begun to be sent is taken whole", false, size},
		{"a message behind one that is stuck is not taken", true, 0},
	} {
		for _, kind := range []string{"pipe", "tls over pipe"} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				client, server := pair(t, kind)
				a, b := client.NetConn(Binary), server.NetConn(Binary)
				expire := func() { // the write deadline passes when a message has begun to be sent
					<-whenBegun(t, client).Done()
					_ = a.SetWriteDeadline(past)
				}
				var want []byte
				if tt.begin {
					p := bytes.Repeat([]byte("one"), size)
					go expire()
					if n, err := a.Write(p); n != len(p) || !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatalf("the first write: %d, %v", n, err)
					}
					want = append(want, p...)
				}
				p := incompressible(size)
				want = append(want, p...)
				if tt.begin {
					_ = a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
				} else {
					go expire()
				}
				n, err := a.Write(p)
				if n != tt.n || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("%d, %v", n, err)
				}
				_ = a.SetWriteDeadline(time.Time{})
				written := make(chan error, 1)
				go func() {
					var err error
					if n < len(p) {
						_, err = a.Write(p[n:])
					}
					written <- errors.Join(err, a.Close())
				}()
				got, err := io.ReadAll(b)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
				}
				if err := <-written; err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestAWriteThatIsCutOffWithoutOurTransportEndsTheConnection: nothing of it was taken, and the next write says why.
func TestAWriteThatIsCutOffWithoutOurTransportEndsTheConnection(t *testing.T) {
	client, _ := pair(t, "stream")
	a := client.NetConn(Binary)
	_ = a.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := a.Write(make([]byte, fillSize))
	if client.life.err() == nil {
		t.Skip("the deadline passed between two parts of the message") // then the rest follows
	}
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d, %v", n, err)
	}
	_ = a.SetWriteDeadline(time.Time{})
	if n, err := a.Write([]byte("x")); n != 0 || CloseStatus(err) != StatusAbnormal {
		t.Errorf("after it: %d, %v", n, err)
	}
}

// TestADeadlineThatIsMovedAsItPassesHasNoEffect: the timer fires in the same moment in which the deadline is moved, so
// that either may come first.
func TestADeadlineThatIsMovedAsItPassesHasNoEffect(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   func() time.Time
	}{
		{"lifted", func() time.Time { return time.Time{} }},
		{"moved to later", func() time.Time { return time.Now().Add(time.Hour) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 2000 {
					var e expiry
					e.set(time.Now().Add(time.Millisecond))
					time.Sleep(time.Millisecond)
					e.set(tt.to())
					ctx := e.context()
					synctest.Wait()
					if err := ctx.Err(); err != nil {
						t.Fatalf("the deadline has passed: %v", err)
					}
					e.set(time.Time{})
				}
			})
		})
	}
}

// TestAReadOfNothingDoesNotWait, as one from a socket does not.
func TestAReadOfNothingDoesNotWait(t *testing.T) {
	client, _ := pair(t, "pipe")
	if n, err := client.NetConn(Binary).Read(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
