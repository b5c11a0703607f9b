package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// checkTime bounds one check.
const checkTime = time.Minute

// sizes are those at which a frame's header grows, and a megabyte.
var sizes = []int{1, 125, 126, 65535, 65536, 1 << 20}

// pipelined is the number of messages sent without waiting for echoes.
const pipelined = 500

// clientChecks are what our client does with a server of others: the same as the
// scripts of other clients do with ours.
var clientChecks = []struct {
	name string
	run  func(context.Context, *target) error
}{
	{"subprotocol", checkSubprotocol},
	{"certificate refused without its authority", checkRefusal},
	{"text with emoji", checkText},
	{"empty messages", checkEmpty},
	{"text and binary of 1 byte to 1 MiB", checkSizes},
	{"fragments sent", checkFragmentsSent},
	{"fragments received", checkFragmentsReceived},
	{"500 messages pipelined", checkPipelined},
	{"ping sent", checkPingSent},
	{"ping received", checkPingReceived},
	{"closed by the client", checkClosedByClient},
	{"closed by the server", checkClosedByServer},
	{"message beyond our limit refused with 1009", checkTooBig},
}

func (t *target) dial(ctx context.Context, path string, limit int64) (*conn.Conn, error) {
	c, _, err := conn.Dial(ctx, t.url+path, &conn.DialOptions{
		TLS:          t.tls,
		Subprotocols: []string{"unknown", "echo"},
		MessageLimit: limit,
	})
	return c, err
}

// with runs do on a new connection, and closes it.
func (t *target) with(ctx context.Context, path string, do func(*conn.Conn) error) error {
	c, err := t.dial(ctx, path, messageLimit)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := do(c); err != nil {
		return err
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// echoes sends messages and expects each back.
func (t *target) echoes(ctx context.Context, path string, messages ...conn.Message) error {
	return t.with(ctx, path, func(c *conn.Conn) error {
		for _, m := range messages {
			if err := c.Write(ctx, m.Type, m.Data); err != nil {
				return err
			}
			if err := expect(ctx, c, m); err != nil {
				return err
			}
		}
		return nil
	})
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

func text(s string) conn.Message { return conn.Message{Type: conn.Text, Data: []byte(s)} }

func binary(size int) conn.Message {
	return conn.Message{Type: conn.Binary, Data: bytes.Repeat([]byte{0xfe}, size)}
}

func checkSubprotocol(ctx context.Context, t *target) error {
	return t.with(ctx, "/echo", func(c *conn.Conn) error {
		if got := c.Subprotocol(); got != "echo" {
			return fmt.Errorf("got %q, want echo", got)
		}
		return nil
	})
}

func checkRefusal(ctx context.Context, t *target) error {
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: x509.NewCertPool()})
	if err != nil {
		return err
	}
	_, _, err = conn.Dial(ctx, t.url+"/echo", &conn.DialOptions{TLS: cfg})
	if refusal, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err)); !ok || refusal.Reason != tlsconf.Untrusted {
		return fmt.Errorf("got %v, want an untrusted authority", err)
	}
	return nil
}

func checkText(ctx context.Context, t *target) error {
	return t.echoes(ctx, "/echo", text("hello"), text("grüße, 世界, 👋🏽‍🚀"), text("\x00 \uffff \U0010ffff"))
}

func checkEmpty(ctx context.Context, t *target) error {
	return t.echoes(ctx, "/echo", text(""), binary(0), text(""))
}

func checkSizes(ctx context.Context, t *target) error {
	for _, size := range sizes {
		if err := t.echoes(ctx, "/echo", binary(size), text(strings.Repeat("x", size))); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
	}
	return nil
}

func checkFragmentsSent(ctx context.Context, t *target) error {
	return t.with(ctx, "/echo", func(c *conn.Conn) error {
		// 1000 is no multiple of a character's length: fragments end within characters.
		for _, m := range []conn.Message{text(strings.Repeat("世界", 20000)), binary(200000)} {
			if err := writeFragments(ctx, c, m); err != nil {
				return err
			}
			if err := expect(ctx, c, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkFragmentsReceived(ctx context.Context, t *target) error {
	return t.echoes(ctx, "/stream", text(strings.Repeat("x", 999)), text(strings.Repeat("世界", 20000)), binary(100001))
}

func checkPipelined(ctx context.Context, t *target) error {
	message := func(n int) conn.Message { return text(fmt.Sprint(n, strings.Repeat("x", n*7%300))) }
	return t.with(ctx, "/echo", func(c *conn.Conn) error {
		sent := make(chan error, 1)
		go func() {
			var err error
			for n := 0; n < pipelined && err == nil; n++ {
				m := message(n)
				err = c.Write(ctx, m.Type, m.Data)
			}
			sent <- err
		}()
		for n := range pipelined {
			if err := expect(ctx, c, message(n)); err != nil {
				return fmt.Errorf("message %d: %w", n, err)
			}
		}
		return <-sent
	})
}

func checkPingSent(ctx context.Context, t *target) error {
	return t.with(ctx, "/echo", func(c *conn.Conn) error {
		c.CloseRead(ctx)
		_, err := c.Ping(ctx)
		return err
	})
}

func checkPingReceived(ctx context.Context, t *target) error {
	return t.with(ctx, "/ping", func(c *conn.Conn) error {
		if err := c.Write(ctx, conn.Text, []byte("ping me")); err != nil {
			return err
		}
		return expect(ctx, c, text("answered"))
	})
}

// closing is how a connection should end, and the id under which a server notes it.
type closing struct {
	id     string
	code   conn.StatusCode
	reason string
}

func checkClosedByClient(ctx context.Context, t *target) error {
	want := closing{"closed-by-client", 4001, "grüße"}
	c, err := t.dial(ctx, "/echo"+want.query(), messageLimit)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Close(want.code, want.reason); err != nil {
		return err
	}
	if got := conn.CloseStatus(context.Cause(c.Context())); got != want.code {
		return fmt.Errorf("we saw code %d, want %d", got, want.code)
	}
	return t.sawClose(ctx, want)
}

func checkClosedByServer(ctx context.Context, t *target) error {
	want := closing{"closed-by-server", 4002, "enough"}
	c, err := t.dial(ctx, "/close"+want.query(), messageLimit)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, conn.Text, []byte("close me")); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	got, ok := errors.AsType[*conn.CloseError](err)
	if !ok || got.Code != want.code || got.Reason != want.reason || !got.Remote {
		return fmt.Errorf("we saw %v, want code %d and reason %q from the server", err, want.code, want.reason)
	}
	return t.sawClose(ctx, want)
}

func checkTooBig(ctx context.Context, t *target) error {
	c, err := t.dial(ctx, "/echo?id=too-big", 1000)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	m := binary(1001)
	if err := c.Write(ctx, m.Type, m.Data); err != nil {
		return err
	}
	if _, _, err := c.Read(ctx); conn.CloseStatus(err) != conn.StatusMessageTooBig {
		return fmt.Errorf("we saw %v, want 1009", err)
	}
	return t.sawClose(ctx, closing{id: "too-big", code: conn.StatusMessageTooBig})
}

// sawClose checks how a connection ended, as the foreign server saw it.
func (t *target) sawClose(ctx context.Context, want closing) error {
	line, err := t.out.Await(ctx, t.ended, regexp.MustCompile(`^\{"closed": ?"`+want.id+`".*`))
	if err != nil {
		return fmt.Errorf("the server saw no end: %w", err)
	}
	var got struct {
		Code   conn.StatusCode
		Reason string
	}
	if err := json.Unmarshal([]byte(line[0]), &got); err != nil {
		return err
	}
	if got.Code != want.code {
		return fmt.Errorf("the server saw %s, want code %d", line[0], want.code)
	}
	if want.id == "closed-by-client" && got.Reason != want.reason {
		return fmt.Errorf("the server saw %s, want reason %q", line[0], want.reason)
	}
	return nil
}
