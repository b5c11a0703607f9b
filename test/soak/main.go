// Command soak has thousands of connections come, talk, stall, vanish and return for some
// time, over wss on loopback, and accounts for every message, close code, drop and byte
// of memory.
//
//	go run ./test/soak [-time 10m] [-conns 2000] [-seed N] [-every 10s]
//
// Each message carries its connection and its number. When a connection has ended, what
// both sides sent and received is compared, with each other and with what the library
// counted. When all have, heap, goroutines and descriptors must be back where they
// were. The exit status is 0 if all is accounted for, 1 if something is not, which is
// named, and 2 for a wrong use of the flags. It ends at most a minute after its time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// options are the flags, checked.
type options struct {
	time  time.Duration // during which connections come
	conns int           // at once
	seed  uint64
	every time.Duration // between lines of progress
	pace  float64       // of what the clients wait for: 1 in earnest, less in tests
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "soak:", err)
		return exitUsage
	}
	if most := affordable(descriptorLimit()); o.conns > most {
		fmt.Fprintf(stdout, "SCALED DOWN: %d descriptors are enough for %d connections, not for %d (ulimit -n)\n", descriptorLimit(), most, o.conns)
		o.conns = most
	}
	fmt.Fprintf(stdout, "soak: %d connections at once for %v, seed %d\n", o.conns, o.time, o.seed)
	s, err := newSoak(*o, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "soak:", err)
		return exitFailed
	}
	if !s.run(ctx) {
		return exitFailed
	}
	return 0
}

// affordable is how many connections at once so many descriptors are enough for: two each,
// and some for what is just being closed and for the process.
func affordable(descriptors int) int { return max((descriptors-100)/5*2, 1) }

func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("soak", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.DurationVar(&o.time, "time", 10*time.Minute, "how long connections come")
	fs.IntVar(&o.conns, "conns", 2000, "connections at once")
	fs.Uint64Var(&o.seed, "seed", rand.Uint64N(1e6), "what is drawn follows from this; the order of events does not")
	fs.DurationVar(&o.every, "every", 10*time.Second, "time between lines of progress")
	fs.Float64Var(&o.pace, "pace", 1, "factor of what the clients wait for between messages")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.time <= 0 || o.conns <= 0 || o.pace < 0 {
		return nil, errors.New("-time and -conns must be more than nothing, and -pace not less")
	}
	return o, nil
}
