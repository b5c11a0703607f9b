package transport

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// plain is a transport without TLS: the wire itself.
type plain struct{ *wire.Conn }

func (t *plain) Write(p []byte, _ bool) error {
	_, err := t.Conn.Write(p)
	return err
}

func (t *plain) SetWriteDeadline(d time.Time) error { return t.SetFlushDeadline(d) }
func (t *plain) Counts() (in, out int64)            { return t.BytesRead(), t.BytesWritten() }

// NetConn keeps the TLS of a proxy from being taken for the peer's.
func (t *plain) NetConn() net.Conn {
	if t.Tunnels() {
		return t.Conn
	}
	return t.Conn.NetConn()
}

func (t *plain) Notify()     {}
func (t *plain) Shut() error { return t.CloseWrite() }

// tlsOverWire is crypto/tls over the wire.
type tlsOverWire struct {
	plain
	tls    *tls.Conn
	more   bool  // crypto/tls may hold decrypted bytes: the last Read filled its slice
	failed error // what Read returns from now on: crypto/tls does not keep every error itself
}

func (t *tlsOverWire) Ready() bool { return t.more || t.failed != nil || t.plain.Ready() }

func (t *tlsOverWire) Read(p []byte) (int, error) {
	if t.failed != nil {
		return 0, t.failed
	}
	if !t.Ready() {
		return 0, ErrWouldBlock
	}
	n, err := t.tls.Read(p)
	t.more = n == len(p)
	if n == 0 && err == ErrWouldBlock && t.plain.Ready() {
		// A record was received and crypto/tls does not take it: it has kept the error of a
		// handshake within the connection (a renegotiation, TLS 1.2) that could not wait.
		err = ErrNoProgress
	}
	if err != nil && err != ErrWouldBlock {
		t.failed = err
	}
	return n, err
}

func (t *tlsOverWire) Write(p []byte, through bool) error {
	t.WriteThrough(through)
	_, err := t.tls.Write(p)
	return err
}

func (t *tlsOverWire) Wait() error {
	if t.more || t.failed != nil {
		return nil
	}
	return t.plain.Wait()
}

// Notify does not wait: Write of the wire below never does.
func (t *tlsOverWire) Notify() { _ = t.tls.CloseWrite() }

func (t *tlsOverWire) NetConn() net.Conn { return t.tls }
