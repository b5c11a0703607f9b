package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// visit joins a room: what comes from in is said, and what is said goes to out.
func visit(ctx context.Context, address, name string, ca *tlsconf.DevCA, in io.Reader, out io.Writer) error {
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: ca.Pool()})
	if err != nil {
		return err
	}
	c, _, err := conn.Dial(ctx, "wss://"+address+"/?"+url.Values{"name": {name}}.Encode(), &conn.DialOptions{TLS: cfg})
	if err != nil {
		return err
	}
	defer c.CloseNow() // does nothing after a closing handshake
	stop := context.AfterFunc(ctx, func() { _ = c.Close(conn.StatusNormalClosure, "") })
	defer stop()

	go func() {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if c.Write(c.Context(), conn.Text, bytes.ToValidUTF8(lines.Bytes(), []byte("?"))) != nil {
				return // the loop below says why
			}
		}
		_ = c.Close(conn.StatusNormalClosure, "")
	}()
	// Reading ends with the connection, and ctx ends that above, with a farewell.
	for m, err := range c.Messages(context.WithoutCancel(ctx)) {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", m.Data); err != nil {
			return err
		}
	}
	return nil
}
