package conn

import (
	"net"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// NewListener wraps a listener of sockets so that connections accepted from it own
// the layer between crypto/tls and the socket. Put it below TLS:
//
//	ln, err := net.Listen("tcp", ":443")
//	…
//	err = srv.ServeTLS(conn.NewListener(ln), certFile, keyFile)
//
// It serves plain HTTP and other protocols over TLS alike, HTTP/2 included: until a
// connection becomes a WebSocket its bytes pass as they come.
//
// [Accept] works without it, with these limits over TLS: an idle connection keeps a
// read buffer of 20 KiB and crypto/tls its own; each message is a record and a
// system call at least; a write that is cancelled while the peer does not read
// closes the connection; and a TLS stream that is cut off between two records
// cannot be told from one that was ended. Without TLS nothing is lost.
func NewListener(l net.Listener) net.Listener { return &listener{l} }

type listener struct{ net.Listener }

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wire.New(nc), nil
}
