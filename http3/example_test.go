package http3_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/conn"
	wsshttp3 "github.com/seed-c4549abd/wss/http3"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// A server over UDP, and a client whose WebSockets share a connection.
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
	srv := &http3.Server{Handler: mux, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{GetCertificate: ca.GetCertificate})}
	wsshttp3.Configure(srv)
	pc, err := net.ListenPacket("udp", "localhost:0")
	if err != nil {
		panic(err)
	}
	defer pc.Close()
	go func() { _ = srv.Serve(pc) }()
	defer srv.Close()

	pool := &wsshttp3.Pool{}
	defer pool.Close()
	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "wss://"+pc.LocalAddr().String()+"/echo", &conn.DialOptions{Multiplexer: pool, TLS: &tls.Config{RootCAs: ca.Pool()}})
	if err != nil {
		panic(err)
	}
	_ = c.Write(ctx, conn.Text, []byte("hello"))
	_, p, err := c.Read(ctx)
	fmt.Printf("%s %s %v\n", c.HTTPVersion(), p, err)
	_ = c.Close(conn.StatusNormalClosure, "")
	// Output: HTTP/3 hello <nil>
}
