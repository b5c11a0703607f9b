//go:build unix

package howto

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestServeEndsAsGracefulDeploySays: after a signal new clients are refused with 503 while those that are connected say goodbye, and
// a second signal ends it at once.
func TestServeEndsAsGracefulDeploySays(t *testing.T) {
	group := new(conn.Group)
	serverTLS, clientTLS := testtls.Configs(tls.VersionTLS13)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{TLSConfig: serverTLS, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group}); err == nil {
			c.CloseRead(c.Context())
		}
	})}
	served := make(chan error, 1)
	go func() { served <- serve(srv, group, ln) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dial := func() (*conn.Conn, error) {
		c, _, err := conn.Dial(ctx, "wss://"+ln.Addr().String(), &conn.DialOptions{TLS: clientTLS})
		return c, err
	}
	ends := make(chan error, 20)
	for range cap(ends) {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		go func() {
			_, _, err := c.Read(ctx)
			ends <- err
		}()
	}
	signal := func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	signal()
	if err := <-ends; conn.CloseStatus(err) != conn.StatusServiceRestart {
		t.Errorf("the first that is closed: %v", err)
	}
	c, err := dial()
	if refused, ok := errors.AsType[*conn.HandshakeError](err); !ok || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a new client: %v, %v", c, err)
	}
	if group.Len() == 0 {
		t.Error("all have gone: Spread has no effect")
	}
	signal()
	if err := <-served; err != context.Canceled {
		t.Errorf("after the second signal: %v", err)
	}
	for range cap(ends) - 1 {
		<-ends
	}
	if n := group.Len(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
