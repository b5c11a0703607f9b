package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
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
	s, err := start("localhost:0", ca, log.New(out, "", 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
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

func TestOtherSitesMayNotConnect(t *testing.T) {
	s, o := startServer(t, io.Discard)
	o.Header = http.Header{"Origin": {"https://evil.example"}}
	_, _, err := conn.Dial(t.Context(), "wss://"+s.host+"/echo", o)
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v, want status 403", err)
	}
}
