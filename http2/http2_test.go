package http2_test

import (
	"context"
	"crypto/tls"

	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	_ "github.com/seed-c4549abd/wss/http2/enable"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

var bg = context.Background()

// server is an http.Server that serves WebSockets over HTTP/2.
type server struct {
	*http.Server
	addr   string
	client *tls.Config
}

// serve starts a server, set up by Configure and then by change, if that is not nil.
func serve(t *testing.T, handler http.Handler, change func(*http.Server)) *server {
	t.Helper()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	srv := &http.Server{Handler: handler, TLSConfig: sc, ErrorLog: log.New(io.Discard, "", 0)}
	if change == nil {
		change = func(srv *http.Server) {
			if err := http2.Configure(srv); err != nil {
				t.Error(err)
			}
		}
	}
	change(srv)
	if srv.TLSConfig == sc { // not set up: HTTP/2 as net/http does it
		sc.NextProtos = []string{"h2", "http/1.1"}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	t.Cleanup(func() { _ = srv.Close(); <-served })
	return &server{srv, ln.Addr().String(), cc}
}

// newPool returns a pool that is closed with the test.
func newPool(t *testing.T) *http2.Pool {
	p := &http2.Pool{Require: true}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// dial opens a WebSocket over a pool.
func (s *server) dial(t *testing.T, p *http2.Pool, path string, change func(*conn.DialOptions)) *conn.Conn {
	t.Helper()
	c, _, err := s.try(p, path, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func (s *server) try(p *http2.Pool, path string, change func(*conn.DialOptions)) (*conn.Conn, *http.Response, error) {
	o := &conn.DialOptions{TLS: s.client, Multiplexer: p, HandshakeTimeout: time.Minute}
	if change != nil {
		change(o)
	}
	return conn.Dial(bg, "wss://"+s.addr+path, o)
}

// echo serves every WebSocket by Serve.
func echo(o *conn.AcceptOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, o)
		if err != nil {
			return
		}
		_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
	})
}

func TestAnEcho(t *testing.T) {
	s := serve(t, echo(nil), nil)
	c := s.dial(t, newPool(t), "/echo?x=1", nil)
	if v := c.HTTPVersion(); v != "HTTP/2" {
		t.Errorf("HTTPVersion: %s", v)
	}
	for _, n := range []int{0, 1, 125, 126, 5000, 70_000, 1 << 20} {
		text := strings.Repeat("x", n)
		go func() { _ = c.Write(bg, conn.Text, []byte(text)) }()
		_, p, err := c.Read(bg)
		if err != nil || string(p) != text {
			t.Fatalf("%d bytes: %d came, %v", n, len(p), err)
		}
	}
	if err := c.Close(conn.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
}

func TestManyOnOneConnection(t *testing.T) {
	s := serve(t, echo(nil), nil)
	p := newPool(t)
	ends := make(chan error)
	for i := range 100 {
		go func() {
			c, _, err := s.try(p, "/", nil)
			if err != nil {
				ends <- err
				return
			}
			for j := range 20 {
				text := fmt.Sprint(i, j)
				if err := c.Write(bg, conn.Text, []byte(text)); err != nil {
					ends <- err
					return
				}
				if _, p, err := c.Read(bg); err != nil || string(p) != text {
					ends <- fmt.Errorf("%q, %w", p, err)
					return
				}
			}
			ends <- c.Close(conn.StatusNormalClosure, "")
		}()
	}
	for range 100 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}
