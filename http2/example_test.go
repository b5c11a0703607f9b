package http2_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// A server that takes WebSockets over HTTP/2, and a client whose WebSockets share a connection. Package main imports
// github.com/seed-c4549abd/wss/http2/enable as well.
func Example() {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return // the request has been answered
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
			return c.Write(context.Background(), m.Type, m.Data)
		}, nil)
	})
	srv := &http.Server{Handler: mux, TLSConfig: &tls.Config{GetCertificate: ca.GetCertificate}}
	if err := http2.Configure(srv); err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	defer srv.Close()

	pool := &http2.Pool{}
	defer pool.Close()
	ctx := context.Background()
	cfg := &tls.Config{RootCAs: ca.Pool()}
	var shared net.Addr
	for range 2 {
		c, _, err := conn.Dial(ctx, "wss://"+ln.Addr().String()+"/echo", &conn.DialOptions{Multiplexer: pool, TLS: cfg})
		if err != nil {
			panic(err)
		}
		defer c.CloseNow()
		_ = c.Write(ctx, conn.Text, []byte("hello"))
		_, p, err := c.Read(ctx)
		fmt.Println(c.HTTPVersion(), string(p), err, shared != nil && shared.String() == c.LocalAddr().String())
		shared = c.LocalAddr()
	}
	// Output:
	// HTTP/2 hello <nil> false
	// HTTP/2 hello <nil> true
}
