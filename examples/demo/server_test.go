package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// authority is made once: its keys take a while.
var authority = sync.OnceValues(func() (*tlsconf.DevCA, error) {
	return tlsconf.Development(tlsconf.DevOptions{InMemory: true})
})

// startServer starts a server that ends with the test.
func startServer(t *testing.T, out io.Writer) (*server, *conn.DialOptions) {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	s, err := start("localhost:0", ca, log.New(out, "", 0), nodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.shutdown(ctx); err != nil {
			t.Errorf("shutting down: %v", err)
		}
	})
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	return s, &conn.DialOptions{TLS: cfg}
}

func TestEchoesTextAndBinary(t *testing.T) {
	s, o := startServer(t, io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := conn.Dial(ctx, "wss://"+s.host+"/echo", o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, m := range []conn.Message{
		{Type: conn.Text, Data: []byte("grüße 👋")},
		{Type: conn.Binary, Data: bytes.Repeat([]byte{0xff, 0}, 40000)},
		{Type: conn.Binary},
	} {
		if err := c.Write(ctx, m.Type, m.Data); err != nil {
			t.Fatal(err)
		}
		typ, data, err := c.Read(ctx)
		if err != nil || typ != m.Type || !bytes.Equal(data, m.Data) {
			t.Fatalf("sent %v of %d bytes, got %v of %d bytes, %v", m.Type, len(m.Data), typ, len(data), err)
		}
	}
}

func TestShutdownClosesConnectionsWithGoingAway(t *testing.T) {
	s, o := startServer(t, io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := conn.Dial(ctx, "wss://"+s.host+"/echo", o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	read := make(chan error, 1)
	go func() {
		_, _, err := c.Read(ctx)
		read <- err
	}()
	if err := s.shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-read; conn.CloseStatus(err) != conn.StatusGoingAway {
		t.Errorf("the client saw %v, want 1001", err)
	}
	if _, _, err := conn.Dial(ctx, "wss://"+s.host+"/echo", o); err == nil {
		t.Error("a connection was accepted after the shutdown")
	}
}

// reserve returns how many connections the server holds that have asked for nothing.
func reserve(s *server) int {
	s.spare.mu.Lock()
	defer s.spare.mu.Unlock()
	return len(s.spare.conns)
}

// A browser's connection in reserve is closed at once: it does not live to the end of
// the time in which it may ask for something.
func TestShutdownWaitsForNoConnectionInReserve(t *testing.T) {
	s, o := startServer(t, io.Discard)
	nc, err := tls.Dial("tcp", s.host, o.TLS)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if n := reserve(s); n != 1 {
		t.Fatalf("%d connections in reserve", n)
	}
	now, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.shutdown(now) // it says that it had no time
	if !s.spare.closed {
		t.Error("the shutdown did not look for connections in reserve")
	}
	if err := nc.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the end of the connection", err)
	}
}

func TestConnectionsInUseAreNotInReserve(t *testing.T) {
	used, usedPeer := net.Pipe()
	spare, sparePeer := net.Pipe()
	late, latePeer := net.Pipe()
	for _, nc := range []net.Conn{used, usedPeer, spare, sparePeer, late, latePeer} {
		defer nc.Close()
	}
	var s spares
	s.note(used, http.StateNew)
	s.note(spare, http.StateNew)
	s.note(used, http.StateActive)
	s.close()
	s.note(late, http.StateNew)
	for _, tt := range []struct {
		name   string
		nc     net.Conn
		closed bool
	}{{"in use", used, false}, {"in reserve", spare, true}, {"late", late, true}} {
		if err := tt.nc.SetDeadline(time.Now().Add(time.Hour)); (err != nil) != tt.closed {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestOtherSitesMayNotConnect(t *testing.T) {
	s, o := startServer(t, io.Discard)
	o.Header = http.Header{"Origin": {"https://evil.example"}}
	_, _, err := conn.Dial(t.Context(), "wss://"+s.host+"/echo", o)
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v, want status 403", err)
	}
}
