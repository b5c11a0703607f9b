package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

func runServer(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9001", "`address` to listen on")
	secure := flags.Bool("tls", false, "serve wss, with a development certificate for localhost")
	compress := flags.Bool("compress", false, "accept permessage-deflate")
	level := flags.Int("level", 0, "`effort` of compression, from 1 to 9; 0: the library's choice")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	scheme, ln := "ws", conn.NewListener(ln)
	if *secure {
		cfg, err := serverTLS()
		if err != nil {
			return err
		}
		scheme, ln = "wss", tls.NewListener(ln, cfg)
	}
	srv := &http.Server{Handler: echo(&conn.AcceptOptions{
		MessageLimit: messageLimit, Compression: compression(*compress, *level),
	})}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	fmt.Fprintf(stdout, "listening %s://%s\n", scheme, ln.Addr())
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serverTLS uses a certificate that lives as long as the process.
func serverTLS() (*tls.Config, error) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		return nil, err
	}
	return tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, GetCertificate: ca.GetCertificate})
}

func echo(o *conn.AcceptOptions) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, o)
		if err != nil {
			return // Accept has answered
		}
		ctx := c.Context()
		_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error {
			return c.Write(ctx, m.Type, m.Data)
		})
	}
}
