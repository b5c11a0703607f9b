// Command testee is an echo server that breaks one rule, for conformance suites:
//
//	go run ./autobahn/suite/faulty/testee server -fault ignores-reserved-bits -listen 127.0.0.1:9001
//
// Faults are those of package faulty, with hyphens for blanks. The other flags are those of autobahn/testee, so the
// Autobahn|Testsuite's runner and the comparison of the two suites can use it; it serves ws only.
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
	"slices"
	"strings"
	"syscall"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
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
		return errors.New("usage: testee server -fault NAME -listen ADDR [-compress]")
	}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	name := flags.String("fault", "", "`name` of the fault, with hyphens for blanks; none if empty")
	listen := flags.String("listen", "127.0.0.1:9001", "`address` to listen on")
	flags.Bool("compress", false, "accept permessage-deflate; only faults of compression do")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	fault := faulty.Fault(strings.ReplaceAll(*name, "-", " "))
	if fault != faulty.None && !slices.Contains(faulty.Faults(), fault) {
		return fmt.Errorf("no fault is called %q", *name)
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	fmt.Fprintf(stdout, "listening ws://%s\n", ln.Addr())
	if err := faulty.Serve(ln, fault); ctx.Err() == nil {
		return err
	}
	return nil
}
