// Command matrix shows that this library and other implementations understand each other over wss: foreign clients with
// our server, and our client with foreign servers, with the same checks for all (see checks.go and peers/README.md).
//
//	go run ./test/matrix [-only NAME,...] [-families npm,pip,...] [-role client|server] [-out FILE] [-list]
//
// What a peer needs is installed into a cache directory, or from Debian if we are root there. Each failure whose fault is
// known to be the peer's is listed with what shows it. The exit status is 0 if there was no other failure, 1 if there was
// one or a peer could not be run, and 2 for a wrong use of the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/test/install"
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

// options are the flags, checked.
type options struct {
	only, families []string // none: all
	role           string
	out            string
	list           bool
	cache          string
	timeout        time.Duration
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{}
	var only, families string
	fs := flag.NewFlagSet("matrix", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&only, "only", "", "the peers to run, as `ws,undici`; empty: all")
	fs.StringVar(&families, "families", "", "the families of peers to run, as `npm,pip`; empty: all but those that take long to build")
	fs.StringVar(&o.role, "role", "", "the peers' `role`: client or server; empty: both")
	fs.StringVar(&o.out, "out", "", "`file` for the report as Markdown; empty: none")
	fs.BoolVar(&o.list, "list", false, "list the peers, and run none")
	fs.StringVar(&o.cache, "cache", install.DefaultDir("matrix"), "`directory` for what is installed")
	fs.DurationVar(&o.timeout, "timeout", 40*time.Minute, "limit for everything")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.role != "" && o.role != "client" && o.role != "server" {
		return nil, fmt.Errorf("-role %s: want client or server", o.role)
	}
	if o.timeout <= 0 {
		return nil, fmt.Errorf("-timeout %v: want more than nothing", o.timeout)
	}
	o.only, o.families = split(only), split(families)
	for _, name := range o.only {
		if !slices.ContainsFunc(peers, func(p *peer) bool { return p.name == name }) {
			return nil, fmt.Errorf("-only %s: there is no such peer; -list lists them", name)
		}
	}
	for _, name := range o.families {
		if allFamilies[name] == nil {
			return nil, fmt.Errorf("-families %s: there is no such family; -list lists them", name)
		}
	}
	var err error
	o.cache, err = filepath.Abs(o.cache) // programs run in other directories than this one
	return o, err
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// wants reports whether a peer is to be run.
func (o *options) wants(p *peer) bool {
	switch {
	case len(o.only) > 0:
		return slices.Contains(o.only, p.name)
	case len(o.families) > 0:
		return slices.Contains(o.families, p.family)
	}
	return !allFamilies[p.family].slow
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "browser" { // see browser.go
		if err := browserProgram(ctx, args[1:], stdout); err != nil {
			fmt.Fprintln(stderr, "matrix:", err)
			return exitFailed
		}
		return 0
	}
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "matrix:", err)
		return exitUsage
	}
	if o.list {
		for _, p := range peers {
			fmt.Fprintf(stdout, "%-8s %-20s %s\n", p.family, p.name, strings.Join(p.roles, ", "))
		}
		return 0
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	work, err := os.MkdirTemp("", "wss-matrix-")
	if err != nil {
		fmt.Fprintln(stderr, "matrix:", err)
		return exitFailed
	}
	defer os.RemoveAll(work)
	m := &matrix{options: o, cache: install.Cache{Dir: o.cache, Log: stderr}, work: work, log: stderr, report: &report{w: stdout, command: "go run ./test/matrix " + strings.Join(args, " ")}}
	if err := m.run(ctx); err != nil {
		fmt.Fprintln(stderr, "matrix:", err)
		return exitFailed
	}
	ok := m.report.close()
	if o.out != "" {
		if err := os.WriteFile(o.out, m.report.markdown(), 0o644); err != nil {
			fmt.Fprintln(stderr, "matrix:", err)
			return exitFailed
		}
	}
	if !ok {
		return exitFailed
	}
	return 0
}
