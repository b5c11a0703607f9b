package wrappers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// client is whom the PROXY header names.
var client = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4567}

// proxied is a listener that takes the PROXY protocol from everybody.
func proxied(ln net.Listener) net.Listener {
	return &proxyproto.Listener{Listener: ln, ReadHeaderTimeout: 10 * time.Second}
}

// order is how the two wrappers of a listener stand to each other.
type order struct {
	name string
	wrap func(net.Listener) net.Listener
}

var orders = []order{
	{"the PROXY protocol alone", proxied},
	{"the PROXY protocol below NewListener", func(ln net.Listener) net.Listener { return conn.NewListener(proxied(ln)) }},
	{"the PROXY protocol above NewListener", func(ln net.Listener) net.Listener { return proxied(conn.NewListener(ln)) }},
}

// way is how connections come to the library.
type way struct {
	name string
	tls  bool
	// serve echoes on ln; whom tells who the client is said to be.
	serve func(t *testing.T, ln net.Listener, cfg *tls.Config, whom chan<- string)
}

var ways = []way{
	{"net/http", false, func(t *testing.T, ln net.Listener, _ *tls.Config, whom chan<- string) {
		srv := server(t, whom)
		go srv.Serve(ln)
	}},
	{"net/http with TLS", true, func(t *testing.T, ln net.Listener, cfg *tls.Config, whom chan<- string) {
		srv := server(t, whom)
		srv.TLSConfig = cfg.Clone()
		go srv.ServeTLS(ln, "", "")
	}},
	{"Upgrade", false, func(t *testing.T, ln net.Listener, _ *tls.Config, whom chan<- string) {
		go upgrade(ln, whom)
	}},
	{"Upgrade with TLS", true, func(t *testing.T, ln net.Listener, cfg *tls.Config, whom chan<- string) {
		go upgrade(tls.NewListener(ln, cfg), whom)
	}},
}

func echo(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) }

func server(t *testing.T, whom chan<- string) *http.Server {
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			whom <- r.RemoteAddr
			c.ServeInBackground(echo, nil)
		}
	})}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

func upgrade(ln net.Listener, whom chan<- string) {
	nc, err := ln.Accept()
	if err != nil {
		return
	}
	if c, err := conn.Upgrade(context.Background(), nc, nil); err == nil {
		whom <- c.RemoteAddr().String()
		c.ServeInBackground(echo, nil)
	}
}

// TestThePROXYProtocol: its header is taken away, the client's address is the one that it names, and every byte behind it
// passes, whether it comes in the same segment or not.
func TestThePROXYProtocol(t *testing.T) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	for _, o := range orders {
		for _, w := range ways {
			for _, version := range []byte{1, 2} {
				name := o.name + ", " + w.name + ", version " + string('0'+version)
				t.Run(name, func(t *testing.T) {
					ln, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					defer ln.Close()
					whom := make(chan string, 1)
					w.serve(t, o.wrap(ln), sc, whom)
					url := "ws://" + ln.Addr().String()
					if w.tls {
						url = "wss" + url[2:]
					}
					c, _, err := conn.Dial(t.Context(), url, &conn.DialOptions{TLS: cc, NetDial: through(version)})
					if err != nil {
						t.Fatal(err)
					}
					defer c.CloseNow()
					if got := <-whom; got != client.String() {
						t.Errorf("the client is said to be %s", got)
					}
					converse(t, c)
				})
			}
		}
	}
}

// through dials and sends the header of a proxy, in one segment with what is sent first.
func through(version byte) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		head, err := proxyproto.HeaderProxyFromAddrs(version, client, nc.RemoteAddr()).Format()
		return &prefixed{nc, head}, err
	}
}

// prefixed sends something before everything else.
type prefixed struct {
	net.Conn
	head []byte
}

func (p *prefixed) Write(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Write(b)
	}
	head := p.head
	p.head = nil
	n, err := p.Conn.Write(append(head, b...))
	return max(n-len(head), 0), err
}

// converse echoes messages of many sizes, and closes.
func converse(t *testing.T, c *conn.Conn) {
	t.Helper()
	ctx := t.Context()
	for _, size := range []int{0, 5, 126, 20_000, 200_000} {
		p := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		written := make(chan error, 1)
		go func() { written <- c.Write(ctx, conn.Binary, p) }()
		_, got, err := c.Read(ctx)
		if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%d of %d bytes, %v", len(got), size, err)
		}
	}
	if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
