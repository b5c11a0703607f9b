package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"strconv"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/test/ports"
)

// origin is our echo server, over ws and wss, that the proxies lead to.
type origin struct {
	plain, secure *http.Server
	ws, wss       string // host:port
	server        *tls.Config
	client        *tls.Config // trusts it
}

func startOrigin() (*origin, error) {
	o := &origin{}
	o.server, o.client = testtls.Configs(tls.VersionTLS13)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) }, nil)
		}
	})
	silent := log.New(io.Discard, "", 0)
	o.plain, o.secure = &http.Server{Handler: echo, ErrorLog: silent}, &http.Server{Handler: echo, ErrorLog: silent, TLSConfig: o.server}
	plain, err := ports.Listen()
	if err != nil {
		return nil, err
	}
	secure, err := ports.Listen()
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	o.ws, o.wss = plain.Addr().String(), secure.Addr().String()
	go func() { _ = o.plain.Serve(conn.NewListener(plain)) }()
	go func() { _ = o.secure.ServeTLS(conn.NewListener(secure), "", "") }()
	return o, nil
}

func (o *origin) close() {
	_ = o.plain.Close()
	_ = o.secure.Close()
}

// freePort returns a port for a program to listen on.
func freePort() (string, error) {
	port, err := ports.Free()
	return strconv.Itoa(port), err
}

// freePorts is freePort for several.
func freePorts(n int) ([]string, error) {
	var list []string
	for range n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		list = append(list, port)
	}
	return list, nil
}
