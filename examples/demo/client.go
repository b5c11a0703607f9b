package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// connectTime bounds the whole visit to the server.
const connectTime = 15 * time.Second

// connect dials the server as any client would, certificate verified, and prints
// what was agreed on, one echo, and how long it took.
func connect(ctx context.Context, url string, roots *x509.CertPool, out *log.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: roots})
	if err != nil {
		return err
	}
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{TLS: cfg, Subprotocols: []string{"echo"}})
	if err != nil {
		return fmt.Errorf("cannot connect to %s: %w", url, err)
	}
	defer c.CloseNow() // does nothing after Close

	state, secure := c.TLS()
	if !secure {
		return errors.New("the connection is not encrypted")
	}
	out.Printf("connected   %s, %s, certificate verified, subprotocol %q",
		tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), c.Subprotocol())

	hello := []byte("Hello, 世界 👋")
	began := time.Now()
	if err := c.Write(ctx, conn.Text, hello); err != nil {
		return fmt.Errorf("cannot send: %w", err)
	}
	typ, echo, err := c.Read(ctx)
	if err != nil {
		return fmt.Errorf("cannot receive: %w", err)
	}
	if typ != conn.Text || !bytes.Equal(echo, hello) {
		return fmt.Errorf("the echo of %q is %v %q", hello, typ, echo)
	}
	out.Printf("echo        %q in %v", echo, time.Since(began))

	// A pong is received by whoever reads. Nothing more is to be read here, so let
	// the connection do that by itself.
	c.CloseRead(ctx)
	roundTrip, err := c.Ping(ctx)
	if err != nil {
		return fmt.Errorf("the ping was not answered: %w", err)
	}
	out.Printf("ping        answered in %v", roundTrip)

	if err := c.Close(conn.StatusNormalClosure, "seen enough"); err != nil {
		return fmt.Errorf("cannot close: %w", err)
	}
	return nil
}
