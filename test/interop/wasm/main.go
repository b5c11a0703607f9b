//go:build js

// Command wasm runs in a page and checks package conn there, against the server that the page is from. It writes a line
// for each check into the element "results", and "done" into "state".
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// checkTime bounds a check.
const checkTime = 20 * time.Second

func main() {
	location := js.Global().Get("location")
	base := "wss://" + location.Get("host").String()
	var lines []string
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), checkTime)
		line := "ok " + check.name
		if err := check.run(ctx, base); err != nil {
			line = "FAIL " + check.name + ": " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		cancel()
		lines = append(lines, line)
		element("results").Set("textContent", strings.Join(lines, "\n"))
	}
	element("state").Set("textContent", "done")
}

func element(id string) js.Value { return js.Global().Get("document").Call("getElementById", id) }

var checks = []struct {
	name string
	run  func(ctx context.Context, base string) error
}{
	{"the subprotocol is the server's choice", subprotocol},
	{"text with emoji and a BOM comes back", text},
	{"binary of 0 bytes to 1 MiB comes back", binary},
	{"a message in pieces, both ways", pieces},
	{"500 messages without waiting come back in order", pipelined},
	{"prepared messages, and an iterator", prepared},
	{"a read that is cancelled loses nothing", cancelled},
	{"closed with a code and a reason of ours", closes},
	{"closed with a code and a reason of the server's", closedByServer},
	{"a message above MessageLimit", tooBig},
	{"a URL that is no WebSocket", refused},
	{"a dial that is cancelled", dialCancelled},
	{"CloseNow ends a read", closeNow},
	{"what a page cannot do is refused", unsupported},
}

func dial(ctx context.Context, url string, o *conn.DialOptions) (*conn.Conn, error) {
	c, _, err := conn.Dial(ctx, url, o)
	return c, err
}

func subprotocol(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", &conn.DialOptions{Subprotocols: []string{"unknown", "echo"}})
	if err != nil {
		return err
	}
	if c.Subprotocol() != "echo" {
		return fmt.Errorf("the subprotocol is %q", c.Subprotocol())
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// comeBack sends messages, each when the one before has come back, and compares.
func comeBack(ctx context.Context, url string, typ conn.MessageType, messages ...[]byte) error {
	c, err := dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for _, m := range messages {
		if err := c.Write(ctx, typ, m); err != nil {
			return err
		}
		got, p, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if got != typ || !bytes.Equal(p, m) {
			return fmt.Errorf("of %d bytes %v with %d came back", len(m), got, len(p))
		}
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func text(ctx context.Context, base string) error {
	return comeBack(ctx, base+"/echo", conn.Text, []byte("Hello, 世界 👋"), []byte("\ufeffBOM"), nil)
}

func binary(ctx context.Context, base string) error {
	var messages [][]byte
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		m := make([]byte, size)
		for i := range m {
			m[i] = byte(i * 7)
		}
		messages = append(messages, m)
	}
	return comeBack(ctx, base+"/echo", conn.Binary, messages...)
}

func pieces(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/stream", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	w, err := c.Writer(ctx, conn.Text)
	if err != nil {
		return err
	}
	want := strings.Repeat("grüße ", 20_000)
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 7001) // within characters, too
		if _, err := w.Write([]byte(rest[:n])); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, r, err := c.Reader(ctx)
	if err != nil {
		return err
	}
	var got bytes.Buffer
	if _, err := got.ReadFrom(r); err != nil || got.String() != want {
		return fmt.Errorf("%d bytes of %d came back: %v", got.Len(), len(want), err)
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func pipelined(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	const n = 500
	go func() {
		for i := range n {
			_ = c.Write(ctx, conn.Text, fmt.Append(nil, i))
		}
	}()
	for i := range n {
		if _, p, err := c.Read(ctx); err != nil || string(p) != fmt.Sprint(i) {
			return fmt.Errorf("message %d came back as %q: %v", i, p, err)
		}
	}
	if s := c.Stats(); s.MessagesIn != n || s.MessagesOut != n {
		return fmt.Errorf("Stats counts %d in, %d out", s.MessagesIn, s.MessagesOut)
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func prepared(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	m, err := conn.Prepare(conn.Text, []byte("prepared"))
	if err != nil {
		return err
	}
	if err := c.Send(ctx, m, m, m); err != nil {
		return err
	}
	n := 0
	for got, err := range c.Messages(ctx) {
		if err != nil || string(got.Data) != "prepared" {
			return fmt.Errorf("%q: %v", got.Data, err)
		}
		if n++; n == 3 {
			break
		}
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func cancelled(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, _, err := c.Read(short); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the read that was cancelled: %v", err)
	}
	if err := c.Write(ctx, conn.Text, []byte("still there")); err != nil {
		return err
	}
	if _, p, err := c.Read(ctx); string(p) != "still there" {
		return fmt.Errorf("%q: %v", p, err)
	}
	return c.Close(conn.StatusNormalClosure, "")
}

func closes(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo?id=wasm-closes", nil)
	if err != nil {
		return err
	}
	if err := c.Close(4001, "grüße"); err != nil {
		return err
	}
	if err := c.Write(ctx, conn.Text, nil); conn.CloseStatus(err) != 4001 {
		return fmt.Errorf("a write after Close: %v", err)
	}
	return nil
}

func closedByServer(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/close?code=4002&reason=bye", nil)
	if err != nil {
		return err
	}
	if err := c.Write(ctx, conn.Text, []byte("close")); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	if e, ok := errors.AsType[*conn.CloseError](err); !ok || e.Code != 4002 || e.Reason != "bye" || !e.Remote {
		return fmt.Errorf("the end: %v", err)
	}
	return nil
}

func tooBig(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", &conn.DialOptions{MessageLimit: 1000})
	if err != nil {
		return err
	}
	if err := c.Write(ctx, conn.Binary, make([]byte, 1001)); err != nil {
		return err
	}
	if _, _, err := c.Read(ctx); !errors.Is(err, conn.ErrMessageTooBig) {
		return fmt.Errorf("1,001 bytes: %v", err)
	}
	return nil
}

func refused(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/nothing-here", nil)
	if err == nil {
		_ = c.CloseNow()
		return errors.New("no error")
	}
	return nil
}

func dialCancelled(ctx context.Context, base string) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := dial(ctx, base+"/echo", nil); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("want context.Canceled: %v", err)
	}
	return nil
}

func closeNow(ctx context.Context, base string) error {
	c, err := dial(ctx, base+"/echo", nil)
	if err != nil {
		return err
	}
	read := make(chan error, 1)
	go func() {
		_, _, err := c.Read(ctx)
		read <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := c.CloseNow(); err != nil {
		return err
	}
	if err := <-read; conn.CloseStatus(err) != conn.StatusAbnormal {
		return fmt.Errorf("the read: %v", err)
	}
	return nil
}

func unsupported(ctx context.Context, base string) error {
	for name, o := range map[string]*conn.DialOptions{
		"Header": {Header: map[string][]string{"Authorization": {"Bearer x"}}}, "Host": {Host: "example.com"},
	} {
		if _, err := dial(ctx, base+"/echo", o); !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("%s: %v", name, err)
		}
	}
	c, err := dial(ctx, base+"/echo", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if _, err := c.Ping(ctx); !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("Ping: %v", err)
	}
	if err := c.Close(conn.StatusGoingAway, ""); !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("Close with 1001: %v", err)
	}
	return c.Close(conn.StatusNormalClosure, "")
}
