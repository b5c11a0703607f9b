// Command streams shows WebSockets as streams of HTTP/2 and HTTP/3 (RFC 8441, RFC 9220): the conformance suite over both, and
// interoperation over HTTP/2.
//
//	go run . [-only http2-server,browsers,...] [-cases PATTERNS] [-timeout TIME]
//
// The suite's cases about messages are run against a server of this library over HTTP/2 and over HTTP/3, and, by the suite as a server,
// against a client over HTTP/2. Chromium, Firefox, Node.js, nghttpx, haproxy and hypercorn are the other side, or in between, in the other
// checks; what is missing of them is installed, from Debian, npm and PyPI. The exit status is 0 if all pass, 1 if not, and 2 for a wrong use
// of the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "github.com/seed-c4549abd/wss/http2/enable"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// check is a group of things that the command shows. An error ends it; what fails otherwise is told by options.check.
type check struct {
	name string
	run  func(ctx context.Context, o *options) error
}

// checks are all of them, in order.
var checks = []check{
	{"http2-server", suiteAgainstServer2},
	{"http2-client", suiteAgainstClient2},
	{"http3-server", suiteAgainstServer3},
	{"net/http", againstNetHTTP},
	{"browsers", inBrowsers},
	{"node", withNode},
	{"proxies", throughProxies},
	{"hypercorn", withHypercorn},
}

// options are what the flags say, and the results.
type options struct {
	cases       []string
	stdout, log io.Writer

	passed, failed int
}

// checkTime bounds what options.check runs.
const checkTime = 30 * time.Second

// check runs f and prints and counts its result: peer does what it says.
func (o *options) check(ctx context.Context, peer, what string, f func(context.Context) error) {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, errors.New("the time for this check is over"))
	defer cancel()
	if err := f(ctx); err != nil {
		o.failed++
		fmt.Fprintf(o.stdout, "FAILED  %s: %s: %v\n", peer, what, err)
		return
	}
	o.passed++
	fmt.Fprintf(o.stdout, "ok      %s: %s\n", peer, what)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("streams", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "run these `checks`: "+names())
	cases := flags.String("cases", "*,beyond", "`patterns` of the suite's cases")
	timeout := flags.Duration("timeout", 15*time.Minute, "`time` for everything")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	selected, err := choose(*only)
	if err != nil || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "streams:", err, strings.Join(flags.Args(), " "))
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	o := &options{cases: strings.Split(*cases, ","), stdout: stdout, log: stderr}
	for _, c := range selected {
		if err := c.run(ctx, o); err != nil {
			o.failed++
			fmt.Fprintf(stdout, "FAILED  %s: %v\n", c.name, err)
		}
	}
	fmt.Fprintf(stdout, "# %d passed, %d failed\n", o.passed, o.failed)
	if o.failed > 0 {
		return exitFailed
	}
	return 0
}

func names() string {
	var all []string
	for _, c := range checks {
		all = append(all, c.name)
	}
	return strings.Join(all, ", ")
}

// choose returns the checks that are named, or all.
func choose(only string) ([]check, error) {
	if only == "" {
		return checks, nil
	}
	var chosen []check
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %q; there are %s", name, names())
		}
		chosen = append(chosen, checks[i])
	}
	return chosen, nil
}
