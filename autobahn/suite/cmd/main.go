// Command cmd runs the conformance suite, against a WebSocket server that echoes messages, or as a server that clients
// connect to:
//
//	go run ./autobahn/suite/cmd -url wss://localhost:8443/echo [-ca FILE | -insecure]
//	go run ./autobahn/suite/cmd -listen localhost:9001 -plain | -development | -cert FILE -key FILE
//
// As a server it understands the paths of the original's, and ends on an interrupt, or when a client asks for it by
// /stopServer. It prints a table and every case that did not pass; flags are for reports in files (-out, -junit), for known
// deviations (-golden, -update-golden) and for a part of the cases (-cases). Its exit status is 0 if all passed, 1 if one
// did not, and 2 if they could not be run. "wss conform" is the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-c4549abd/wss/internal/suitecmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := suitecmd.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, suitecmd.ErrFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
