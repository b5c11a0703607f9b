package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
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
	plain, err := listen()
	if err != nil {
		return nil, err
	}
	secure, err := listen()
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

// listen listens on a free port below the ephemeral ones: a program that is told a port cannot lose it to somebody's outgoing
// connection.
func listen() (net.Listener, error) {
	var ln net.Listener
	err := errors.New("no port is free")
	for range 100 {
		if ln, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(20_000+rand.IntN(10_000))); err == nil {
			return ln, nil
		}
	}
	return nil, err
}

// freePort returns a port for a program to listen on.
func freePort() (string, error) {
	ln, err := listen()
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

// freePorts is freePort for several.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
