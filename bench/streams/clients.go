package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"sync"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	wsshttp3 "github.com/seed-c4549abd/wss/http3"
)

// shared is how many WebSockets share a connection.
const shared = 100

// clients are WebSockets to a server of one version of HTTP.
type clients struct {
	process *native.Process
	conns   []*conn.Conn
	close   []func() error
}

// start starts a server and opens WebSockets to it.
func start(ctx context.Context, version string, keys *native.Keys, n int) (*clients, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process, err := native.Start([]string{child.Env + "=-server"}, program, "-server", version, keys.CertFile(), keys.KeyFile())
	if err != nil {
		return nil, err
	}
	c := &clients{process: process}
	if err := c.open(ctx, version, keys, n, "/"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// open opens n WebSockets to a path.
func (c *clients) open(ctx context.Context, version string, keys *native.Keys, n int, path string) error {
	config, err := child.ClientTLS(keys.Cert)
	if err != nil {
		return err
	}
	var m conn.Multiplexer
	for i := range n {
		if i%shared == 0 {
			m = c.multiplexer(version)
		}
		if err := c.dial(ctx, version, config, m, path); err != nil {
			return fmt.Errorf("WebSocket %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// multiplexer returns what makes a connection for WebSockets to share, nil over HTTP/1.1.
func (c *clients) multiplexer(version string) conn.Multiplexer {
	switch version {
	case overHTTP2:
		p := &http2.Pool{Require: true}
		c.close = append(c.close, p.Close)
		return p
	case overHTTP3:
		p := &wsshttp3.Pool{Require: true}
		c.close = append(c.close, p.Close)
		return p
	}
	return nil
}

func (c *clients) dial(ctx context.Context, version string, config *tls.Config, m conn.Multiplexer, path string) error {
	ws, _, err := conn.Dial(ctx, "wss://"+c.process.Addr+path, &conn.DialOptions{TLS: config, Multiplexer: m, PingInterval: -1})
	if err != nil {
		return err
	}
	c.conns = append(c.conns, ws)
	if got := ws.HTTPVersion(); got != version {
		return fmt.Errorf("it came over %s, not %s", got, version)
	}
	return nil
}

// Close ends everything.
func (c *clients) Close() {
	var tasks sync.WaitGroup
	for _, ws := range c.conns {
		tasks.Go(func() { _ = ws.CloseNow() })
	}
	tasks.Wait()
	for _, end := range c.close {
		_ = end()
	}
	c.process.Close()
}
