// Command chat is a room where everybody hears everybody, over TLS.
//
//	go run ./chat                    # the room, at wss://localhost:8444/
//	go run ./chat -join -name ann    # a visitor: lines typed are said, others' are printed
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

func main() {
	address := flag.String("listen", "localhost:8444", "`address` of the room")
	join := flag.Bool("join", false, "join the room instead of opening it")
	name := flag.String("name", "somebody", "who joins")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ca, err := tlsconf.Development(tlsconf.DevOptions{})
	if err == nil && *join {
		err = visit(ctx, *address, *name, ca, os.Stdin, os.Stdout)
	} else if err == nil {
		err = open(ctx, *address, ca)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// open serves a room until ctx ends.
func open(ctx context.Context, address string, ca *tlsconf.DevCA) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w\nanother address is chosen with -listen", err)
	}
	fmt.Printf("open at wss://%s/; ctrl-C closes it\n", ln.Addr())
	return serve(ctx, ln, ca)
}

// serve is open on a listener.
func serve(ctx context.Context, ln net.Listener, ca *tlsconf.DevCA) error {
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	r := new(room)
	srv := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(tls.NewListener(conn.NewListener(ln), cfg)) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// net/http does not know the room's connections any more.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(r.visitors.Shutdown(ending, conn.ShutdownOptions{Reason: "the room closes"}), srv.Shutdown(ending))
}
