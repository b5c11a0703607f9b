package pubsub_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

func withUser(r *http.Request) context.Context {
	return context.WithValue(context.Background(), userKey{}, r.URL.Query().Get("user"))
}

// acceptInto is a handler whose connections are read from, and given to a channel.
func acceptInto(accepted chan<- *conn.Conn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
			accepted <- c
		}
	})
}

// serveTLS serves over wss on loopback.
func serveTLS(b *testing.B, group *conn.Group, accepted chan<- *conn.Conn) (url string, client *tls.Config) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server, client := testtls.Configs(tls.VersionTLS13)
	srv := &http.Server{TLSConfig: server, ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group}); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
			accepted <- c
		}
	})}
	go func() { _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	b.Cleanup(func() { _ = srv.Close() })
	return "wss://" + ln.Addr().String(), client
}
