package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
)

// server is one that a client of this library talks to. It has what our backend has: the path /echo, which obeys, and /refuse.
type server struct {
	peer  string // the name in the output
	addr  string
	tls   *tls.Config
	await func(ctx context.Context, id string) (end, error) // what it has seen of the end of a connection
	// many is the number of WebSockets on one connection.
	many int

	// The rest is what a peer lacks.

	noReset  bool // it cannot be told to reset a stream
	told     int  // its application is told this in place of the code of a close frame, and no reason; 0: the code
	oneClose bool // a closing handshake that we begin ends its connection, and with that the other streams
}

// sizes are those of messages that are echoed.
var sizes = []int{0, 1, 125, 126, 70_000, 1 << 20}

// talk runs all checks of a server.
func (s *server) talk(ctx context.Context, o *options) {
	shared := &http2.Pool{Require: true}
	defer shared.Close()
	for _, c := range []struct {
		what string
		run  func(context.Context, *http2.Pool) error
		skip bool
	}{
		{"echoes text and binary of 0 bytes to 1 MiB, with a subprotocol", s.echo, false},
		{"is closed by us with 4001", s.closedByUs, false},
		{"closes with 4002 and a reason", s.closedByThem, false},
		{"sees 1006 when our side breaks a stream off, and another one goes on", s.broken, false},
		{"resets a stream, which is 1006, and another one goes on", s.reset, s.noReset},
		{"refuses one with 403, and another one goes on", s.refuses, false},
		{fmt.Sprintf("carries %d at once on one connection", s.many), s.several, false},
	} {
		if c.skip {
			continue
		}
		o.check(ctx, s.peer, c.what, func(ctx context.Context) error {
			if !s.oneClose {
				return c.run(ctx, shared)
			}
			own := &http2.Pool{Require: true}
			defer own.Close()
			return c.run(ctx, own)
		})
	}
}

// dial opens a WebSocket, and sees to it that it came by HTTP/2.
func (s *server) dial(ctx context.Context, pool *http2.Pool, path string) (*conn.Conn, error) {
	c, _, err := conn.Dial(ctx, "wss://"+s.addr+path, &conn.DialOptions{
		TLS: s.tls, Multiplexer: pool, Subprotocols: []string{"echo"}, MessageLimit: messageLimit,
	})
	if err != nil {
		return nil, err
	}
	if c.HTTPVersion() != "HTTP/2" {
		defer c.CloseNow()
		return nil, fmt.Errorf("it came by %s", c.HTTPVersion())
	}
	return c, nil
}

func roundTrip(ctx context.Context, c *conn.Conn, typ conn.MessageType, p []byte) error {
	if err := c.Write(ctx, typ, p); err != nil {
		return err
	}
	got, q, err := c.Read(ctx)
	if err == nil && (got != typ || !bytes.Equal(p, q)) {
		err = fmt.Errorf("%d bytes, %v, came back as %d bytes, %v", len(p), typ, len(q), got)
	}
	return err
}

func (s *server) echo(ctx context.Context, pool *http2.Pool) error {
	c, err := s.dial(ctx, pool, "/echo?id=echo")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if c.Subprotocol() != "echo" {
		return fmt.Errorf("the subprotocol is %q", c.Subprotocol())
	}
	for _, n := range sizes {
		for _, typ := range []conn.MessageType{conn.Text, conn.Binary} {
			if err := roundTrip(ctx, c, typ, bytes.Repeat([]byte("e"), n)); err != nil {
				return err
			}
		}
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func (s *server) closedByUs(ctx context.Context, pool *http2.Pool) error {
	c, err := s.dial(ctx, pool, "/echo?id=ours")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := errors.Join(roundTrip(ctx, c, conn.Text, []byte("one")), c.Close(4001, "bye")); err != nil {
		return err
	}
	if s.told != 0 {
		return s.expect(ctx, "ours", s.told, "")
	}
	return s.expect(ctx, "ours", 4001, "bye")
}

// expect compares what the server saw of a connection's end.
func (s *server) expect(ctx context.Context, id string, code int, reason string) error {
	e, err := s.await(ctx, id)
	if err != nil {
		return err
	}
	if e.Code != code || e.Reason != reason {
		return fmt.Errorf("it saw %d %q, want %d %q", e.Code, e.Reason, code, reason)
	}
	if e.HTTPVersion != "" && e.HTTPVersion != "HTTP/2" {
		return fmt.Errorf("it was reached by %s", e.HTTPVersion)
	}
	return nil
}

func (s *server) closedByThem(ctx context.Context, pool *http2.Pool) error {
	c, err := s.dial(ctx, pool, "/echo?id=theirs")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, conn.Text, []byte("close 4002 enough")); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	if ce, ok := errors.AsType[*conn.CloseError](err); !ok || ce.Code != 4002 || ce.Reason != "enough" || !ce.Remote {
		return fmt.Errorf("the end is %v", err)
	}
	return nil
}

func (s *server) broken(ctx context.Context, pool *http2.Pool) error {
	stays, err := s.dial(ctx, pool, "/echo?id=stays")
	if err != nil {
		return err
	}
	defer stays.CloseNow()
	c, err := s.dial(ctx, pool, "/echo?id=broken")
	if err != nil {
		return err
	}
	if err := errors.Join(roundTrip(ctx, c, conn.Text, []byte("one")), c.CloseNow(), s.expect(ctx, "broken", 1006, "")); err != nil {
		return err
	}
	return roundTrip(ctx, stays, conn.Text, []byte("two"))
}

func (s *server) reset(ctx context.Context, pool *http2.Pool) error {
	stays, err := s.dial(ctx, pool, "/echo?id=stays")
	if err != nil {
		return err
	}
	defer stays.CloseNow()
	c, err := s.dial(ctx, pool, "/echo?id=reset")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, conn.Text, []byte("reset")); err != nil {
		return err
	}
	if _, _, err := c.Read(ctx); conn.CloseStatus(err) != conn.StatusAbnormal {
		return fmt.Errorf("the end is %v", err)
	}
	return roundTrip(ctx, stays, conn.Text, []byte("two"))
}

func (s *server) refuses(ctx context.Context, pool *http2.Pool) error {
	c, err := s.dial(ctx, pool, "/echo?id=other")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	before := c.LocalAddr().String()
	refused, err := s.dial(ctx, pool, "/refuse")
	if err == nil {
		_ = refused.CloseNow()
	}
	if he, ok := errors.AsType[*conn.HandshakeError](err); !ok || he.Status != http.StatusForbidden {
		return fmt.Errorf("the refusal is %v", err)
	}
	if err := roundTrip(ctx, c, conn.Text, []byte("on")); err != nil {
		return fmt.Errorf("another WebSocket, after the refusal: %w", err)
	}
	next, err := s.dial(ctx, pool, "/echo?id=next")
	if err != nil {
		return err
	}
	defer next.CloseNow()
	if after := next.LocalAddr().String(); after != before {
		return fmt.Errorf("the next one has a connection of its own, from %s instead of %s", after, before)
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func (s *server) several(ctx context.Context, _ *http2.Pool) error {
	pool := &http2.Pool{Require: true} // a connection without what was
	defer pool.Close()
	var all []*conn.Conn
	defer func() {
		for _, c := range all {
			_ = c.CloseNow()
		}
	}()
	from := make(map[string]bool)
	for i := range s.many {
		c, err := s.dial(ctx, pool, fmt.Sprintf("/echo?id=many%d", i))
		if err != nil {
			return fmt.Errorf("number %d: %w", i+1, err)
		}
		all = append(all, c)
		from[c.LocalAddr().String()] = true
	}
	if len(from) != 1 {
		return fmt.Errorf("they have %d connections", len(from))
	}
	for i, c := range all {
		if err := c.Write(ctx, conn.Text, []byte(strings.Repeat("m", 100*i))); err != nil {
			return err
		}
	}
	for i, c := range all {
		if _, p, err := c.Read(ctx); err != nil || len(p) != 100*i {
			return fmt.Errorf("number %d of %d: %d bytes, %w", i+1, len(all), len(p), err)
		}
	}
	return nil
}

// againstNetHTTP has our client talk to our server, which is net/http's with HTTP/2.
func againstNetHTTP(ctx context.Context, o *options) error {
	b, err := startBackend(page)
	if err != nil {
		return err
	}
	defer b.close()
	s := &server{peer: "net/http " + runtime.Version(), addr: b.addr, tls: &tls.Config{RootCAs: b.ca.Pool()}, many: 200, await: b.await}
	s.talk(ctx, o)
	return nil
}
