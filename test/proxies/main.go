// Command proxies shows that this library connects through real proxies, and understands their refusals: Debian's squid, in
// clear and over TLS, tinyproxy and microsocks.
//
//	go run ./test/proxies [-only squid|tinyproxy|microsocks] [-timeout TIME]
//
// Through each, messages are echoed over ws and wss, with and without credentials; wrong credentials, forbidden and
// unreachable hosts must be the typed errors that package conn documents. A program that is missing is installed from Debian if
// we are root there, and else is a failure. The exit status is 0 if every check passed, 1 if one failed or could not be made,
// and 2 for a wrong use of the flags.
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
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// programs are the proxies, in the order of their runs.
var programs = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"squid", runSquid},
	{"tinyproxy", runTinyproxy},
	{"microsocks", runMicrosocks},
}

// bench is what the checks of all proxies share.
type bench struct {
	report *report
	origin *origin
	work   string // ends with the run; readable for everybody, as squid gives up being root
	log    io.Writer
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
		fmt.Fprintln(stderr, "proxies:", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	b, end, err := newBench(stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "proxies:", err)
		return exitFailed
	}
	defer end()
	for _, program := range programs {
		if o.only != "" && o.only != program.name {
			continue
		}
		// What keeps a proxy's checks from being made is a failure like theirs.
		if err := program.run(ctx, b); err != nil {
			b.report.add(program.name, err)
		}
	}
	if !b.report.close() {
		return exitFailed
	}
	return 0
}

func newBench(stdout, stderr io.Writer) (b *bench, end func(), err error) {
	work, err := os.MkdirTemp("", "wss-proxies-")
	if err != nil {
		return nil, nil, err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(work))
	}
	origin, err := startOrigin()
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(work))
	}
	end = func() {
		origin.close()
		_ = os.RemoveAll(work)
	}
	return &bench{report: &report{w: stdout}, origin: origin, work: work, log: stderr}, end, nil
}

// options are the flags, checked.
type options struct {
	only    string
	timeout time.Duration
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	var names []string
	for _, program := range programs {
		names = append(names, program.name)
	}
	o := &options{}
	fs := flag.NewFlagSet("proxies", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&o.only, "only", "", "the one `proxy` to run: "+strings.Join(names, ", "))
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "limit for everything")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.only != "" && !slices.Contains(names, o.only):
		return nil, fmt.Errorf("-only %s: want one of %s", o.only, strings.Join(names, ", "))
	case o.timeout <= 0:
		return nil, fmt.Errorf("-timeout %v: want more than nothing", o.timeout)
	}
	return o, nil
}

// report prints one line a check, and counts.
type report struct {
	w              io.Writer
	passed, failed int
}

// add reports a check, which passed if err is nil.
func (r *report) add(name string, err error) {
	if err == nil {
		r.passed++
		fmt.Fprintf(r.w, "ok    %s\n", name)
		return
	}
	r.failed++
	// What a process said goes below the line, indented, so that lines stay checks.
	fmt.Fprintf(r.w, "FAIL  %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "\n      "))
}

// close prints the closing line, and says whether there were checks and all passed.
func (r *report) close() bool {
	fmt.Fprintf(r.w, "%d passed, %d failed\n", r.passed, r.failed)
	return r.failed == 0 && r.passed > 0
}
