// Command market tests SendLatest: it sends thousands of prices a second to clients over wss on loopback, of which some do not
// read for a while.
//
//	go run ./test/market [-time 12s] [-conns 2000] [-rate 4000] [-follow 2]
//
// A tenth of the clients do not read in the second third of the time. Each client must get the prices of a symbol in order, and the
// last one of each; one that has stalled must not read a backlog, and the heap must not grow meanwhile. The exit status is 0 if so, 1
// if not, and 2 if the flags are wrong.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// options are the flags, checked.
type options struct {
	time   time.Duration // of trading
	conns  int
	rate   int // prices a second, of all symbols together
	follow int // symbols of each client
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its arguments and outputs as parameters.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "market:", err)
		return exitUsage
	}
	m, err := open(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, "market:", err)
		return exitFailed
	}
	defer m.close()
	if err := m.trade(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "market:", err)
		return exitFailed
	}
	if !m.judge(stdout) {
		return exitFailed
	}
	return 0
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("market", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.DurationVar(&o.time, "time", 12*time.Second, "how long prices are sent")
	flags.IntVar(&o.conns, "conns", 2000, "clients")
	flags.IntVar(&o.rate, "rate", 4000, "prices a second, of all symbols together")
	flags.IntVar(&o.follow, "follow", 2, "symbols that each client follows")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.time < time.Second:
		return nil, fmt.Errorf("-time %v is less than a second", o.time)
	case o.conns < 10 || o.rate < 1 || o.follow < 1:
		return nil, errors.New("-conns is at least 10, -rate and -follow at least 1")
	}
	return o, nil
}

// stale returns the most old prices of one symbol that a client may read after its stall: those of one second. SendLatest notices a
// stall after at most half a second if messages are small; the rest allows for a busy machine.
func (o *options) stale() int {
	return max(3, int(float64(o.rate)/float64(o.symbols())))
}

// symbols returns the number of symbols, so that ten clients follow each on average.
func (o *options) symbols() int { return max(1, o.conns*o.follow/10) }

// judge prints the results, and reports whether they are as promised.
func (m *market) judge(w io.Writer) bool {
	ok := true
	fail := func(format string, args ...any) { ok = false; fmt.Fprintf(w, "FAILED: "+format+"\n", args...) }
	stats := m.group.Stats()
	var slow, fast []*client
	for _, c := range m.clients {
		if err := c.err.Load(); err != nil {
			fail("client %d: %v", c.id, *err)
		}
		if c.stalls {
			slow = append(slow, c)
		} else {
			fast = append(fast, c)
		}
	}
	stale := slices.MaxFunc(slow, func(a, b *client) int { return cmp.Compare(a.stale, b.stale) }).stale
	fmt.Fprintf(w, "%d prices were made; %d messages sent, %d replaced, %d dropped\n", m.made, stats.MessagesOut, stats.Replaced, stats.Dropped)
	fmt.Fprintf(w, "%d clients that read got %d messages\n", len(fast), received(fast))
	fmt.Fprintf(w, "%d clients that stalled for %v got %d; of one symbol at most %d old prices when they read again\n",
		len(slow), m.options.time/3, received(slow), stale)
	fmt.Fprintf(w, "heap: at most %.1f MiB before they stalled, and %.1f MiB while they did\n", mebibytes(m.heapBefore), mebibytes(m.heapStalled))
	if most := m.options.stale(); stale > most {
		fail("at most %d old prices were expected", most)
	}
	if limit := m.heapBefore + m.heapBefore/4 + 8<<20; m.heapStalled > limit {
		fail("the heap has grown beyond %.1f MiB", mebibytes(limit))
	}
	if stats.Replaced == 0 {
		fail("no price was replaced")
	}
	if ok {
		fmt.Fprintln(w, "ok: all clients have the last price of each symbol, and nobody found a backlog")
	}
	return ok
}

func received(clients []*client) (n int64) {
	for _, c := range clients {
		n += c.received
	}
	return n
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }
