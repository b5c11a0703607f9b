package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	wsshttp3 "github.com/seed-c4549abd/wss/http3"
)

// The lines of the tables.
const (
	overHTTP1 = "HTTP/1.1"
	overHTTP2 = "HTTP/2"
	overHTTP3 = "HTTP/3"
)

// serve is a server's process: it writes its address, and answers each line that it reads by the bytes of heap and stacks in use.
func serve(version, certFile, keyFile string, stdin io.Reader, stdout io.Writer) error {
	config, err := child.ServerTLSOf(certFile, keyFile)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	var addr net.Addr
	if version == overHTTP3 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		srv := &http3.Server{Handler: http.HandlerFunc(handle), TLSConfig: http3.ConfigureTLSConfig(config)}
		wsshttp3.Configure(srv)
		addr = pc.LocalAddr()
		go func() { ended <- srv.Serve(pc) }()
	} else {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		srv := &http.Server{Handler: http.HandlerFunc(handle), TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)}
		if err := http2.Configure(srv); err != nil {
			return err
		}
		addr = ln.Addr()
		go func() { ended <- srv.ServeTLS(conn.NewListener(ln), "", "") }()
	}
	fmt.Fprintln(stdout, addr)
	go func() {
		lines := bufio.NewScanner(stdin)
		for lines.Scan() {
			m := child.Memory()
			fmt.Fprintln(stdout, m.HeapInuse+m.StackInuse)
		}
		ended <- lines.Err()
	}()
	return <-ended
}

// handle echoes, or floods and reads nothing.
func handle(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, &conn.AcceptOptions{PingInterval: -1})
	if err != nil {
		return
	}
	if r.URL.Path == "/flood" {
		ctx := c.Context()
		for c.Write(ctx, conn.Binary, make([]byte, 4<<10)) == nil {
		}
		return
	}
	c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(context.Background(), m.Type, m.Data) }, nil)
}
