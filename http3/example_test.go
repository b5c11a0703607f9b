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

// serveUDP serves HTTP/3.
func serveUDP(mux http.Handler, cfg *tls.Config, udp net.PacketConn) error {
	srv := &http3.Server{Handler: mux, TLSConfig: http3.ConfigureTLSConfig(cfg)}
	wsshttp3.Configure(srv)
	return srv.Serve(udp)
}

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
	udp, err := net.ListenPacket("udp", "localhost:0")
	if err != nil {
		panic(err)
	}
	defer udp.Close()
	go func() { _ = serveUDP(mux, &tls.Config{GetCertificate: ca.GetCertificate}, udp) }()

	pool := &wsshttp3.Pool{}
	defer pool.Close()
	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "wss://"+udp.LocalAddr().String()+"/echo", &conn.DialOptions{Multiplexer: pool, TLS: &tls.Config{RootCAs: ca.Pool()}})
	if err != nil {
		panic(err)
	}
	_ = c.Write(ctx, conn.Text, []byte("hello"))
	_, p, err := c.Read(ctx)
	fmt.Printf("%s %s %v\n", c.HTTPVersion(), p, err)
	_ = c.Close(conn.StatusNormalClosure, "")
	// Output: HTTP/3 hello <nil>
}
