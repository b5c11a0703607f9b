package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// ends returns a transport of each kind, its peer, and the socket below it.
func ends(t *testing.T, kind string) (peer net.Conn, own Conn, socket net.Conn) {
	t.Helper()
	a, b := pipe.New(1 << 20)
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	sc, cc := testtls.Configs(tls.VersionTLS13)
	switch kind {
	case "wire":
		return a, New(wire.New(b)), b
	case "wrapped":
		return a, New(b), b
	case "TLS over the wire":
		socket = wire.New(b)
	case "TLS over a foreign socket":
		socket = b
	}
	client, server := tls.Client(a, cc), tls.Server(socket, sc)
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(server.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	return client, New(server), b
}

// TestEveryTransport reads without waiting, waits until its deadline, sends what it was given, and knows its socket.
func TestEveryTransport(t *testing.T) {
	for kind, resumable := range map[string]bool{
		"wire": true, "wrapped": true, "TLS over the wire": true, "TLS over a foreign socket": false,
	} {
		t.Run(kind, func(t *testing.T) {
			peer, own, socket := ends(t, kind)
			if own.Resumable() != resumable {
				t.Errorf("resumable: %v", !resumable)
			}
			if Socket(own) != socket {
				t.Errorf("the socket is a %T", Socket(own))
			}
			p := make([]byte, 100)
			if n, err := own.Read(p); n != 0 || err != ErrWouldBlock || own.Ready() {
				t.Errorf("nothing is available: %d, %v, ready %v", n, err, own.Ready())
			}
			_ = own.SetReadDeadline(time.Now().Add(time.Millisecond))
			if err := own.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("waited until %v", err)
			}
			_ = own.SetReadDeadline(time.Time{})
			_, _ = peer.Write([]byte("question"))
			if err := own.Wait(); err != nil {
				t.Fatal(err)
			}
			if n, err := own.Read(p); string(p[:n]) != "question" || err != nil {
				t.Errorf("%q, %v", p[:n], err)
			}
			if err := own.Write([]byte("answer"), false); err != nil || own.Pending() == 0 {
				t.Errorf("%v, %d bytes wait for Flush", err, own.Pending())
			}
			if err := own.Flush(); err != nil || own.Pending() != 0 {
				t.Errorf("%v, %d bytes wait after Flush", err, own.Pending())
			}
			if n, err := peer.Read(p); string(p[:n]) != "answer" || err != nil {
				t.Errorf("%q, %v", p[:n], err)
			}
			if in, out := own.Counts(); in < 8 || out < 6 || Acknowledged(own) > out {
				t.Errorf("%d bytes in, %d out, %d acknowledged", in, out, Acknowledged(own))
			}
			own.Notify()
			if err := errors.Join(own.Flush(), own.Shut()); err != nil {
				t.Errorf("Shut: %v", err)
			}
			var rest bytes.Buffer
			if _, err := rest.ReadFrom(peer); err != nil || rest.Len() > 0 {
				t.Errorf("behind the end: %q, %v", rest.Bytes(), err)
			}
			own.Drop()
			if err := own.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
