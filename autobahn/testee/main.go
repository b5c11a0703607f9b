// Command testee is this library's entrant in the Autobahn|Testsuite, in both
// roles, written with the public API as a user would write it.
//
//	go run ./autobahn/testee server -listen 127.0.0.1:9001 [-tls] [-compress [-level N]]
//	go run ./autobahn/testee client -url ws://127.0.0.1:9002 -agent NAME [-insecure] [-compress]
//
// The server echoes every message, and prints its URL when it listens. The client
// asks a fuzzing server for its cases and runs them all. Both end on an interrupt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-c4549abd/wss/conn"
)

// messageLimit admits the longest message of the suite, 16 MiB (case 9.1.6).
const messageLimit = 32 << 20

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
	return errors.New("usage: testee server -listen ADDR [-tls] [-compress] | client -url URL -agent NAME [-insecure] [-compress]")
}

// compression is what -compress negotiates: whatever the suite wants, and every
// message goes compressed that gets smaller.
func compression(on bool, level int) conn.Compression {
	if !on {
		return conn.Compression{}
	}
	return conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1, Level: level}
}
