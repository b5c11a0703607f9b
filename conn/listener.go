package conn

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"

	"github.com/seed-c4549abd/wss/internal/wire"
)

// ErrListenerAboveTLS is what Accept of [NewListener] returns when the listener it was given
// does TLS. An http.Server stops serving with it.
var ErrListenerAboveTLS = errors.New("websocket: NewListener was given a listener of TLS connections, and belongs below TLS: " +
	"wrap the listener of sockets, tls.NewListener(conn.NewListener(ln), cfg)")

// NewListener wraps a listener of sockets so that connections accepted from it own
// the layer between crypto/tls and the socket. Put it below TLS:
//
//	ln, err := net.Listen("tcp", ":443")
//	…
//	err = srv.ServeTLS(conn.NewListener(ln), certFile, keyFile)
//
// Above TLS it is of no use, so its Accept returns [ErrListenerAboveTLS]: at once if it is
// given what tls.NewListener returns, and else with the first *tls.Conn. Given a listener
// of its own it returns that.
//
// It serves plain HTTP and other protocols over TLS alike, HTTP/2 included: until a
// connection becomes a WebSocket its bytes pass as they come.
//
// [Accept] works without it, with these limits over TLS: an idle connection keeps a
// read buffer of 20 KiB and crypto/tls its own; each message is a record and a
// system call at least; a write that is cancelled while the peer does not read
// closes the connection; and a TLS stream that is cut off between two records
// cannot be told from one that was ended. Without TLS nothing is lost.
func NewListener(l net.Listener) net.Listener {
	if own, ok := l.(*listener); ok {
		return own
	}
	return &listener{Listener: l, aboveTLS: reflect.TypeOf(l) == tlsListener}
}

// tlsListener is a type that crypto/tls does not export.
var tlsListener = reflect.TypeOf(tls.NewListener(nil, nil))

type listener struct {
	net.Listener
	aboveTLS bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	if l.aboveTLS {
		return nil, ErrListenerAboveTLS
	}
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := nc.(*tls.Conn); ok {
		_ = nc.Close()
		return nil, ErrListenerAboveTLS
	}
	return wire.New(nc), nil
}
