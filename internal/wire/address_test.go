package wire

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestNetHTTPAsksForTheAddressFirst holds net/http to what RemoteAddr relies on: that it is
// called before anything is read.
func TestNetHTTPAsksForTheAddressFirst(t *testing.T) {
	serverConfig, clientConfig := testtls.Configs(tls.VersionTLS13)
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan string, 100)
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(tls.NewListener(askedListener{ln, calls}, serverConfig)) }()
	nc, err := tls.Dial("tcp", ln.Addr().String(), clientConfig)
	_ = srv.Close()
	<-served
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.Close()
	if first := <-calls; first != "RemoteAddr" {
		t.Errorf("net/http called %s first, want RemoteAddr", first)
	}
}

// askedListener notes what is called first on a connection.
type askedListener struct {
	net.Listener
	calls chan string
}

func (l askedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return &asked{nc, l.calls}, err
}

type asked struct {
	net.Conn
	calls chan string
}

func (a *asked) note(call string) {
	select {
	case a.calls <- call:
	default:
	}
}

func (a *asked) RemoteAddr() net.Addr {
	a.note("RemoteAddr")
	return a.Conn.RemoteAddr()
}

func (a *asked) Read(p []byte) (int, error) {
	a.note("Read")
	return a.Conn.Read(p)
}
