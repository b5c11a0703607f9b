// Command runner runs the real Autobahn|Testsuite against this library, in both roles, over ws and wss, and fails
// unless every one of its 517 cases passes.
//
//	go run ./autobahn/runner                                # all cases, both roles, both schemes
//	go run ./autobahn/runner -role server -cases '1.*,7.*'  # a few, for a change at hand
//	go run ./autobahn/runner -read                          # the tables of the last run again
//
// The suite is a Python 2 program called wstest. It runs in a container where a Docker engine answers, and else in a
// virtual environment of CPython 2.7 that the first run installs from PyPI into a cache directory, in about a minute. A
// full pass takes some ten minutes for each role and scheme, nearly all of it in the groups 9, 12 and 13.
//
// In the role of a server the testee listens and wstest (mode fuzzingclient) dials it; in that of a client wstest (mode
// fuzzingserver) listens and the testee dials it, once for each case. The cases are split into shards that run at once,
// each with a wstest of its own. Reports, specs and logs go to DIR/<role>-<scheme>/shard-<n>, and the tables to standard
// output. The exit status is 0 if all passed, 1 if a case or a run failed, and 2 for a wrong use of the flags.
//
// See package report for what counts as a pass.
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
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
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

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "runner:", err)
		return exitUsage
	}
	passed, err := runAll(ctx, o, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "runner:", err)
	}
	if err != nil || !passed {
		return exitFailed
	}
	return 0
}

// runAll goes on after a pass that failed, so that one run shows everything, but not after an interruption.
func runAll(ctx context.Context, o *options, stdout, log io.Writer) (passed bool, err error) {
	var r *runner
	if !o.read {
		if r, err = newRunner(ctx, o, log); err != nil {
			return false, err
		}
		defer r.close()
	}
	passed = true
	var errs []error
	for _, p := range o.passes() {
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		if r != nil {
			fmt.Fprintf(log, "%s: %d cases in %d shards\n", p, len(p.cases), len(p.shards))
			if err := r.run(ctx, p); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", p, err))
			}
		}
		result, err := report.Read(agent, p.reportDirs()...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p, err))
		}
		fmt.Fprintf(stdout, "\n%s", p)
		if r != nil {
			fmt.Fprintf(stdout, " (%v)", time.Since(began).Round(time.Second))
		}
		fmt.Fprint(stdout, "\n\n")
		if err := result.WriteTable(stdout, p.cases); err != nil {
			return false, err
		}
		passed = passed && len(result.Problems(p.cases)) == 0
	}
	if ctx.Err() != nil {
		errs = append(errs, errors.New("interrupted"))
	}
	return passed, errors.Join(errs...)
}
