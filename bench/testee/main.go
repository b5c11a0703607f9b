// Command testee is an echo server of any library that is measured, set up as it is measured, for conformance suites:
//
//	go run ./testee server -lib gorilla -listen 127.0.0.1:9001 [-tls] [-compress]
//
// It prints its URL when it listens, and ends on an interrupt. Its flags are those of autobahn/testee, so the
// Autobahn|Testsuite's runner and the comparison of the two suites can use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "testee:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 || args[0] != "server" {
		return errors.New("usage: testee server -lib NAME -listen ADDR [-tls] [-compress]")
	}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	name := flags.String("lib", "wss", "`name` of the library")
	listen := flags.String("listen", "127.0.0.1:9001", "`address` to listen on")
	secure := flags.Bool("tls", false, "serve wss, with a certificate of its own")
	compress := flags.Bool("compress", false, "accept permessage-deflate")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	lib, err := libs.Find(*name)
	if err != nil {
		return err
	}
	if lib.Kind == libs.Baseline {
		return fmt.Errorf("%s speaks no WebSocket", lib.Name)
	}
	o := libs.Options{Message: 64 << 10, Deflate: *compress}
	scheme := "ws"
	if *secure {
		cert, key, err := child.NewCert()
		if err != nil {
			return err
		}
		if o.TLS, err = child.ServerTLS(cert, key); err != nil {
			return err
		}
		scheme = "wss"
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	fmt.Fprintf(stdout, "listening %s://%s\n", scheme, ln.Addr())
	if err := lib.Serve(ln, o); ctx.Err() == nil {
		return err
	}
	return nil
}
