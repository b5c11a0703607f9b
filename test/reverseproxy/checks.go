package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Times of the checks, some of which need processors that all proxies share.
const (
	checkTime = 40 * time.Second
	idleTime  = 7 * time.Second // more than twice the proxies' timeouts of three seconds
)

// route is a way to our server: through a proxy, over HTTP/1.1 or HTTP/2.
type route struct {
	*running
	http2 bool
}

var ids atomic.Int64

// dial connects as a page of the same origin does, from an address of this machine.
func (r *route) dial(ctx context.Context, from, query string, header ...string) (*conn.Conn, error) {
	h := http.Header{"Origin": {"https://" + r.host()}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	o := &conn.DialOptions{
		TLS: r.l.client, Header: h, Subprotocols: []string{"unknown", "echo"}, PingInterval: -1, MessageLimit: messageLimit,
		Compression: conn.Compression{Mode: conn.CompressionTakeover},
		NetDial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, network, r.address())
		},
	}
	scheme := "wss"
	if r.http2 {
		socket := o.NetDial
		scheme, o.TLS = "ws", nil // TLS is done before HTTP/2
		o.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := socket(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return dialH2(ctx, tls.Client(nc, r.h2Config()))
		}
	}
	c, _, err := conn.Dial(ctx, fmt.Sprintf("%s://%s/?%s", scheme, r.host(), query), o)
	return c, err
}

// h2Config is what a browser offers.
func (r *route) h2Config() *tls.Config {
	cfg := r.l.client.Clone()
	cfg.ServerName, cfg.NextProtos = "localhost", []string{"h2", "http/1.1"}
	return cfg
}

func (r *running) host() string { return fmt.Sprintf("localhost:%d", r.port) }

// with runs do on a new connection, and closes it.
func (r *route) with(ctx context.Context, query string, do func(*conn.Conn) error) error {
	c, err := r.dial(ctx, "127.0.0.1", query)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := do(c); err != nil {
		return err
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// checks are what is tried on every route.
var checks = []struct {
	name string
	run  func(context.Context, *route) error
}{
	{"subprotocol, Host and Origin", checkHandshake},
	{"another origin refused with 403", checkOrigin},
	{"text and binary up to 1 MiB, compressed", checkMessages},
	{"pings of both sides", checkPings},
	{"closed by the client", checkClosedByClient},
	{"closed by the server", checkClosedByServer},
	{"silent beyond the proxy's timeout, with pings", checkIdle},
	{"clients are counted one by one", checkCounted},
}

func checkHandshake(ctx context.Context, r *route) error {
	return r.with(ctx, "", func(c *conn.Conn) error {
		if got := c.Subprotocol(); got != "echo" {
			return fmt.Errorf("subprotocol %q, want echo", got)
		}
		got, err := askSeen(ctx, c)
		if err != nil {
			return err
		}
		if got.Host != r.host() || got.Origin != "https://"+r.host() || got.Proto != "HTTP/1.1" {
			return fmt.Errorf("our server saw %+v", got)
		}
		return nil
	})
}

// askSeen asks our server what it saw of the request.
func askSeen(ctx context.Context, c *conn.Conn) (s seen, err error) {
	if err := c.Write(ctx, conn.Text, []byte("seen")); err != nil {
		return s, err
	}
	_, text, err := c.Read(ctx)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

func checkOrigin(ctx context.Context, r *route) error {
	_, err := r.dial(ctx, "127.0.0.1", "", "Origin", "https://elsewhere.example")
	return wantRefusal(err, http.StatusForbidden, `the origin "https://elsewhere.example" may not connect to "`+r.host()+`"`)
}

// wantRefusal checks the status of a refused handshake, and what its body contains.
func wantRefusal(err error, status int, text string) error {
	e, ok := errors.AsType[*conn.HandshakeError](err)
	if !ok || e.Response == nil {
		return fmt.Errorf("got %v, want status %d", err, status)
	}
	body, _ := io.ReadAll(e.Response.Body)
	if e.Response.StatusCode != status || !strings.Contains(string(body), text) {
		return fmt.Errorf("got %d and %q, want %d and a body with %q", e.Response.StatusCode, body, status, text)
	}
	return nil
}

func checkMessages(ctx context.Context, r *route) error {
	return r.with(ctx, "", func(c *conn.Conn) error {
		for _, size := range []int{0, 1, 126, 65536, messageLimit} {
			for _, m := range []conn.Message{
				{Type: conn.Text, Data: []byte(strings.Repeat("é", size/2))},
				{Type: conn.Binary, Data: noise(size)}, // which does not get smaller
			} {
				if err := echoed(ctx, c, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// noise returns bytes that compression cannot make less.
func noise(size int) []byte {
	b, x := make([]byte, size), uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// echoed sends a message, and expects it back.
func echoed(ctx context.Context, c *conn.Conn, m conn.Message) error {
	sent := make(chan error, 1)
	go func() { sent <- c.Write(ctx, m.Type, m.Data) }()
	typ, data, err := c.Read(ctx)
	if err := errors.Join(err, <-sent); err != nil {
		return err
	}
	if typ != m.Type || !bytes.Equal(data, m.Data) {
		return fmt.Errorf("got %v of %d bytes, want %v of %d", typ, len(data), m.Type, len(m.Data))
	}
	return nil
}

func checkPings(ctx context.Context, r *route) error {
	return r.with(ctx, "", func(c *conn.Conn) error {
		c.CloseRead(ctx)
		if _, err := c.Ping(ctx); err != nil {
			return err
		}
		before := c.Stats().ControlIn
		for c.Stats().ControlIn == before { // until our server pings
			select {
			case <-ctx.Done():
				return fmt.Errorf("our server does not ping: %w", context.Cause(ctx))
			case <-c.Context().Done():
				return context.Cause(c.Context())
			case <-time.After(50 * time.Millisecond):
			}
		}
		return nil
	})
}

func checkClosedByClient(ctx context.Context, r *route) error {
	id := fmt.Sprint("client", ids.Add(1))
	c, err := r.dial(ctx, "127.0.0.1", "id="+id)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	const code, reason = 4001, "grüße"
	if err := c.Close(code, reason); err != nil {
		return err
	}
	return r.l.backend.sawClose(ctx, id, code, reason)
}

func checkClosedByServer(ctx context.Context, r *route) error {
	c, err := r.dial(ctx, "127.0.0.1", "")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, conn.Text, []byte("close")); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	got, ok := errors.AsType[*conn.CloseError](err)
	if !ok || got.Code != closeCode || got.Reason != closeReason || !got.Remote {
		return fmt.Errorf("our client saw %v, want code %d and reason %q from the server", err, closeCode, closeReason)
	}
	return nil
}

// checkIdle: nobody sends a message, and our server pings.
func checkIdle(ctx context.Context, r *route) error {
	return r.with(ctx, "", func(c *conn.Conn) error { return idle(ctx, c) })
}

// idle reads for a while, in which nothing comes, and then expects an echo.
func idle(ctx context.Context, c *conn.Conn) error {
	wait, cancel := context.WithTimeout(ctx, idleTime)
	defer cancel()
	if _, _, err := c.Read(wait); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("after %v of silence: %w", idleTime, err)
	}
	return echoed(ctx, c, conn.Message{Type: conn.Text, Data: []byte("still here")})
}
