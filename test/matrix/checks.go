package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// checkTime bounds a check. Tests shorten it.
var checkTime = 30 * time.Second

// messageLimit is the longest message that is received, except where a check says otherwise.
const messageLimit = 17 << 20

// check is one connection with a peer, which echoes what it is sent and follows commands (peers/README.md).
type check struct {
	name string
	// options of our side, where they differ from the usual ones.
	limit int64         // MessageLimit
	ping  time.Duration // PingInterval
	with  security
	// run uses the connection; one that is still open behind it is closed with 1000. It is nil if the peer has to refuse
	// the connection.
	run func(ctx context.Context, c *conn.Conn) error
	// code and reason are what the peer has to say of the end; zero: anything.
	code   conn.StatusCode
	reason string
}

// security is the TLS that our side offers.
type security int

const (
	usual      security = iota
	tls12               // nothing newer
	wrongCA             // with an authority that the other side does not trust
	securities int      = iota
)

// errNotOffered says that a peer does not do what is optional.
var errNotOffered = errors.New("not offered")

// checks are the same for all peers, in both roles.
var checks = []check{
	{name: "subprotocol", run: subprotocol},
	{name: "text", run: echoed(text("hello"), text("grüße, 世界, 👋🏽‍🚀"), text("\ufeffBOM\r\n\r \n"), text("\x00 \uffff \U0010ffff"))},
	{name: "empty", run: echoed(text(""), binary(0), text(""))},
	{name: "125 to 65,536 bytes", run: echoed(
		text(strings.Repeat("x", 125)), binary(125), text(strings.Repeat("x", 126)), binary(126),
		text(strings.Repeat("x", 65535)), binary(65535), text(strings.Repeat("x", 65536)), binary(65536))},
	{name: "1 MiB", run: echoed(text(strings.Repeat("é", 1<<19)), binary(1<<20))},
	{name: "16 MiB", run: echoed(binary(16 << 20))},
	{name: "fragments", run: fragments},
	{name: "compression", run: compression},
	{name: "ping within a message", run: pingWithin},
	{name: "500 pipelined", run: pipelined},
	{name: "closed by us", run: closed(4001, "grüße"), code: 4001, reason: "grüße"},
	{name: "closed by the peer", run: closedByPeer},
	{name: "close behind data", run: closeBehindData, code: 1000},
	{name: "idle", ping: 300 * time.Millisecond, run: idle},
	{name: "vanish", run: vanish, code: 1006},
	{name: "message too big", limit: 1 << 20, run: tooBig, code: 1009},
	{name: "TLS 1.2", with: tls12, run: onTLS12},
	{name: "wrong CA", with: wrongCA},
}

func text(s string) conn.Message { return conn.Message{Type: conn.Text, Data: []byte(s)} }

func binary(size int) conn.Message {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 31)
	}
	return conn.Message{Type: conn.Binary, Data: data}
}

// expect receives a message, which must be m.
func expect(ctx context.Context, c *conn.Conn, m conn.Message) error {
	typ, data, err := c.Read(ctx)
	if err != nil {
		return err
	}
	if typ != m.Type || !bytes.Equal(data, m.Data) {
		return fmt.Errorf("got %v of %d bytes %.40q, want %v of %d bytes %.40q", typ, len(data), data, m.Type, len(m.Data), m.Data)
	}
	return nil
}

// echoed sends messages, and expects each back.
func echoed(messages ...conn.Message) func(context.Context, *conn.Conn) error {
	return func(ctx context.Context, c *conn.Conn) error {
		for _, m := range messages {
			if err := c.Write(ctx, m.Type, m.Data); err != nil {
				return err
			}
			if err := expect(ctx, c, m); err != nil {
				return fmt.Errorf("%v of %d bytes: %w", m.Type, len(m.Data), err)
			}
		}
		return nil
	}
}

func subprotocol(ctx context.Context, c *conn.Conn) error {
	if got := c.Subprotocol(); got != "echo" {
		return fmt.Errorf("got %q, want echo", got)
	}
	return echoed(text("with a subprotocol"))(ctx, c)
}

// fragments sends messages in fragments that end within characters.
func fragments(ctx context.Context, c *conn.Conn) error {
	for _, m := range []conn.Message{text(strings.Repeat("世界", 20_000)), binary(200_000)} {
		if err := inFragments(ctx, c, m, func() error { return nil }); err != nil {
			return err
		}
		if err := expect(ctx, c, m); err != nil {
			return err
		}
	}
	return nil
}

// inFragments sends m in fragments of 1000 bytes; between is called between two of them.
func inFragments(ctx context.Context, c *conn.Conn, m conn.Message, between func() error) error {
	w, err := c.Writer(ctx, m.Type, conn.Uncompressed)
	if err != nil {
		return err
	}
	for rest := m.Data; len(rest) > 0; {
		n := min(len(rest), 1000)
		if _, err := w.Write(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
		if err := errors.Join(w.Flush(), between()); err != nil {
			return err
		}
	}
	return w.Close()
}

// compression has messages compressed by both sides, where the peer does that.
func compression(ctx context.Context, c *conn.Conn) error {
	if !c.Compressed() {
		return errNotOffered
	}
	for i := range 100 {
		if err := echoed(text(strings.Repeat(fmt.Sprintf(`{"tick":%d,"price":%d},`, i, i*i), 20)))(ctx, c); err != nil {
			return err
		}
	}
	return echoed(text(strings.Repeat("compressed, ", 100_000)))(ctx, c)
}

// pingWithin sends pings between fragments, which the peer answers before it has the message.
func pingWithin(ctx context.Context, c *conn.Conn) error {
	m := text(strings.Repeat("within ", 1000))
	received := make(chan error, 1)
	go func() { received <- expect(ctx, c, m) }()
	pongs := make(chan error, 3)
	sent := 0
	if err := inFragments(ctx, c, m, func() error {
		if sent < cap(pongs) {
			sent++
			go func() {
				_, err := c.Ping(ctx)
				pongs <- err
			}()
			time.Sleep(10 * time.Millisecond) // it is sent before the next fragment
		}
		return nil
	}); err != nil {
		return err
	}
	if err := <-received; err != nil {
		return err
	}
	reading := make(chan struct{})
	go func() { // pongs may follow the message
		defer close(reading)
		_, _, _ = c.Read(ctx)
	}()
	for range sent {
		select {
		case err := <-pongs:
			if err != nil {
				return fmt.Errorf("a ping: %w", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := c.Close(conn.StatusNormalClosure, "")
	<-reading
	return err
}

func pipelined(ctx context.Context, c *conn.Conn) error {
	const n = 500
	message := func(i int) conn.Message { return text(fmt.Sprint(i, strings.Repeat("x", i*7%300))) }
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if err := c.Write(ctx, conn.Text, message(i).Data); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range n {
		if err := expect(ctx, c, message(i)); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return <-sent
}

// closed closes, and wants the peer's answer.
func closed(code conn.StatusCode, reason string) func(context.Context, *conn.Conn) error {
	return func(ctx context.Context, c *conn.Conn) error {
		if err := echoed(text("before the end"))(ctx, c); err != nil {
			return err
		}
		return c.Close(code, reason)
	}
}

func closedByPeer(ctx context.Context, c *conn.Conn) error {
	if err := c.Write(ctx, conn.Text, []byte("!close 4002 genug")); err != nil {
		return err
	}
	_, _, err := c.Read(ctx)
	if e, ok := errors.AsType[*conn.CloseError](err); !ok || e.Code != 4002 || e.Reason != "genug" || !e.Remote {
		return fmt.Errorf("we saw %v, want code 4002 and reason genug from the peer", err)
	}
	return nil
}

// closeBehindData sends a close frame right behind messages, which the peer may still answer.
func closeBehindData(ctx context.Context, c *conn.Conn) error {
	for range 20 {
		if err := c.Write(ctx, conn.Binary, make([]byte, 10_000)); err != nil {
			return err
		}
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// idle is silent while keepalive pings, for longer than a peer that does not answer would be kept.
func idle(ctx context.Context, c *conn.Conn) error {
	silent, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()
	if _, _, err := c.Read(silent); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("while nothing was sent: %v", err)
	}
	return echoed(text("still there"))(ctx, c)
}

// vanish ends the stream within a message.
func vanish(ctx context.Context, c *conn.Conn) error {
	if err := echoed(text("before the end"))(ctx, c); err != nil { // the peer knows of the connection
		return err
	}
	w, err := c.Writer(ctx, conn.Text)
	if err != nil {
		return err
	}
	_, _ = w.Write([]byte("begun"))
	if err := w.Flush(); err != nil {
		return err
	}
	return c.CloseNow()
}

func tooBig(ctx context.Context, c *conn.Conn) error {
	if err := c.Write(ctx, conn.Text, []byte("!send 1048577")); err != nil {
		return err
	}
	if _, _, err := c.Read(ctx); !errors.Is(err, conn.ErrMessageTooBig) {
		return fmt.Errorf("we saw %v, want ErrMessageTooBig", err)
	}
	return nil
}

func onTLS12(ctx context.Context, c *conn.Conn) error {
	if state, ok := c.TLS(); !ok || state.Version != 0x0303 {
		return fmt.Errorf("the version of TLS is %x", state.Version)
	}
	return echoed(text("over TLS 1.2"), binary(100_000))(ctx, c)
}

// judge says what is wrong with what the peer says of the end.
func (k *check) judge(e end) error {
	switch {
	case k.run == nil && e.Closed != nil:
		return fmt.Errorf("the peer had a connection: %v", e)
	case k.run == nil:
		return nil
	case e.Closed == nil:
		return fmt.Errorf("the peer says: %v", e)
	case *e.Closed != 0 && k.code != 0 && conn.StatusCode(*e.Closed) != k.code:
		return fmt.Errorf("the peer says %v, want code %d", e, k.code)
	case e.Reason != nil && k.reason != "" && *e.Reason != k.reason:
		return fmt.Errorf("the peer says %v, want reason %q", e, k.reason)
	}
	return nil
}
