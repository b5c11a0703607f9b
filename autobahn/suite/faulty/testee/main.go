// Command testee is an echo server or client that breaks one rule, for conformance suites:
//
//	go run ./autobahn/suite/faulty/testee server -fault ignores-reserved-bits -listen 127.0.0.1:9001
//	go run ./autobahn/suite/faulty/testee client -fault ignores-reserved-bits -url ws://127.0.0.1:9002 -agent NAME
//
// Faults are those of package faulty, with hyphens for blanks. The other flags are those of autobahn/testee, so the
// Autobahn|Testsuite's runner and the comparison of the two suites can use it; it speaks ws only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/conn"
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
	if len(args) > 0 {
		switch args[0] {
		case "server":
			return runServer(ctx, args[1:], stdout)
		case "client":
			return runClient(ctx, args[1:], stdout)
		}
	}
	return errors.New("usage: testee server -fault NAME -listen ADDR [-compress] | client -fault NAME -url URL -agent NAME [-compress]")
}

// faultFlags are those of both roles. The function returns the fault that was chosen.
func faultFlags(flags *flag.FlagSet, all []faulty.Fault) func() (faulty.Fault, error) {
	name := flags.String("fault", "", "`name` of the fault, with hyphens for blanks; none if empty")
	flags.Bool("compress", false, "agree to permessage-deflate; only faults of compression do")
	return func() (faulty.Fault, error) {
		fault := faulty.Fault(strings.ReplaceAll(*name, "-", " "))
		if fault != faulty.None && !slices.Contains(all, fault) {
			return "", fmt.Errorf("no fault is called %q", *name)
		}
		return fault, nil
	}
}

func runServer(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	chosen := faultFlags(flags, slices.Concat(faulty.Faults(), faulty.EndFaults(), faulty.MissedFaults(), faulty.Peculiarities()))
	listen := flags.String("listen", "127.0.0.1:9001", "`address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fault, err := chosen()
	if err != nil {
		return err
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

func runClient(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	chosen := faultFlags(flags, slices.Concat(faulty.ClientFaults(), faulty.EndFaults(), faulty.MissedFaults(), faulty.Peculiarities()))
	server := flags.String("url", "ws://127.0.0.1:9001", "`URL` of the fuzzing server")
	agent := flags.String("agent", "faulty", "`name` under which results are reported")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fault, err := chosen()
	if err != nil {
		return err
	}
	count, err := ask(ctx, *server+"/getCaseCount?"+url.Values{"agent": {*agent}}.Encode())
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := range n {
		query := url.Values{"case": {strconv.Itoa(i + 1)}, "agent": {*agent}}
		// How a case ends is for the suite to judge.
		if _ = faulty.Dial(ctx, *server+"/runCase?"+query.Encode(), fault); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Fprintf(stdout, "ran %d cases\n", n)
	_, err = ask(ctx, *server+"/updateReports?"+url.Values{"agent": {*agent}}.Encode())
	return err
}

// ask returns the message that a path answers with, empty if there is none before the connection is closed.
func ask(ctx context.Context, url string) (string, error) {
	c, _, err := conn.Dial(ctx, url, nil)
	if err != nil {
		return "", err
	}
	defer c.CloseNow()
	_, data, err := c.Read(ctx)
	if err == nil {
		_ = c.Close(conn.StatusNormalClosure, "")
	} else if e, ok := errors.AsType[*conn.CloseError](err); ok && e.Remote {
		err = nil
	}
	return string(data), err
}
