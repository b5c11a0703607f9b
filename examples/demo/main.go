// Command demo shows the library at work, in a browser: a chat, a market, a game, a monitor of the server, and an echo.
//
//	go run ./demo [-listen localhost:8443] [-once]
//	go run ./demo -two [-listen localhost:8443]
//
// It serves pages at https://localhost:8443/, with a certificate of a development authority that it makes on its first run. Then it connects
// to its echo as a client, with verification on, and goes on serving until an interrupt. With -once it ends after that.
//
// With -two it runs two nodes, at this port and the next one, that share the chat and the game. Kill one, and its visitors move to the other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// shutdownTime bounds a graceful end: closing handshakes and pages being sent.
const shutdownTime = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	var err error
	if node, is := os.LookupEnv(nodeVariable); is {
		err = runNode(ctx, node, log.New(os.Stdout, "", 0))
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	listen := flags.String("listen", "localhost:8443", "`address` to listen on; the certificate is for localhost")
	once := flags.Bool("once", false, "end after the connection to itself")
	two := flags.Bool("two", false, "run two nodes, at the port of -listen and the next one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *two {
		return runNodes(ctx, *listen, log.New(stdout, "", 0))
	}
	ca, err := tlsconf.Development(tlsconf.DevOptions{})
	if err != nil {
		return err
	}
	out := log.New(stdout, "", 0)
	s, err := start(*listen, ca, out, nodeOptions{})
	if err != nil {
		return fmt.Errorf("%w\nanother address is chosen with -listen, for example -listen localhost:9443 "+
			"(with make: make run LISTEN=localhost:9443)", err)
	}
	out.Printf("page        https://%s/", s.host)
	out.Printf("echo        wss://%s/echo", s.host)
	out.Printf("authority   %s", describe(ca))

	err = connect(ctx, "wss://"+s.host+"/echo", ca.Pool(), out)
	if err == nil && !*once {
		out.Print("serving     press ctrl-C to end")
		select {
		case <-ctx.Done():
		case err = <-s.failed:
		}
	}
	if ctx.Err() != nil {
		err = nil // an interrupt is no failure, whatever it interrupted
		out.Print("ending      closing every connection with 1001")
	}
	// ctx may have ended; the shutdown needs time of its own.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return errors.Join(err, s.shutdown(ending))
}

// describe says where a browser finds the authority to trust.
func describe(ca *tlsconf.DevCA) string {
	if file := ca.CAFile(); file != "" {
		return file + " (browsers warn until they trust this file)"
	}
	if err := ca.Fallback(); err != nil {
		return fmt.Sprintf("in memory alone, because %v; browsers will warn", err)
	}
	return "in memory alone; browsers will warn"
}
