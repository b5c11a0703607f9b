// Command suiteresults runs the conformance suite against echo servers on other libraries, and writes what it finds, with the
// octets and the sections, as a page of the documentation:
//
//	go run ./test/suiteresults [-peers gorilla,ws] [-cases '1.*,beyond'] [-out docs/suite-results.md | -check]
//
// It installs what the servers need: modules from the Go module proxy, packages from PyPI, npm, Maven Central and crates.io into
// the cache directory, and libwebsockets from Debian if it runs as root. A peer that cannot be installed or started is
// skipped; the page and standard error say so, and the exit status is 1 then. With -peers the page goes to standard output
// unless -out is there too. With -check no page is written: the exit status is 1 if docs/suite-results.md has other versions, counts or
// verdicts for these peers.
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
)

// errSkipped says that the page was written, and lacks a peer.
var errSkipped = errors.New("some peers were skipped")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "suiteresults:", err)
		os.Exit(1)
	}
}

// usual are the cases that are run: all groups, with few of those that send many megabytes, and all beyond the original's.
const usual = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.1.1,9.2.2,9.3.4,9.4.6,9.5.6,9.7.2,10.*,12.1.2,12.2.4,12.3.11,13.2.2,13.3.2,13.5.2,beyond"

// options are the flags, checked.
type options struct {
	peers            []peer
	cases            []string
	root, cache, out string
	check            bool
}

func parse(args []string, output io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("suiteresults", flag.ContinueOnError)
	flags.SetOutput(output)
	names := flags.String("peers", "", "`names` of the peers, with commas between; empty: all")
	cases := flags.String("cases", usual, "`patterns` of the cases, with commas between")
	flags.StringVar(&o.root, "root", ".", "`directory` of this repository")
	flags.StringVar(&o.cache, "cache", filepath.Join(".cache", "suiteresults"), "`directory` for what is installed")
	flags.StringVar(&o.out, "out", "", "`file` for the page; empty: docs/suite-results.md, or standard output with -peers")
	flags.BoolVar(&o.check, "check", false, "compare with docs/suite-results.md, and write nothing")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.check && (o.out != "" || *cases != usual) {
		return nil, errors.New("-check is about the cases of the page, and writes nothing: leave out -out and -cases")
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	o.cases = strings.Split(*cases, ",")
	var err error
	if o.root, err = filepath.Abs(o.root); err != nil {
		return nil, err
	}
	if o.cache, err = filepath.Abs(o.cache); err != nil {
		return nil, err
	}
	if *names == "" {
		o.peers = peers()
		if o.out == "" && !o.check {
			o.out = filepath.Join(o.root, "docs", "suite-results.md")
		}
		return o, nil
	}
	for name := range strings.SplitSeq(*names, ",") {
		i := slices.IndexFunc(peers(), func(p peer) bool { return p.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("no peer is called %q", name)
		}
		o.peers = append(o.peers, peers()[i])
	}
	return o, nil
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	b := &bench{root: o.root, cache: o.cache, log: stderr}
	var outcomes []outcome
	skipped := false
	for _, p := range o.peers {
		outcome := b.try(ctx, p, o.cases)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if outcome.skipped != "" {
			skipped = true
			fmt.Fprintf(stderr, "SKIPPED: %s: %s\n", p.title, outcome.skipped)
		}
		outcomes = append(outcomes, outcome)
	}
	text := page(outcomes, o.cases)
	switch {
	case o.check:
		err = o.compare(text, stdout)
	case o.out == "":
		_, err = io.WriteString(stdout, text)
	default:
		err = os.WriteFile(o.out, []byte(text), 0o644)
	}
	if err == nil && skipped {
		err = errSkipped
	}
	return err
}

// compare says how a new page differs from the one in docs.
func (o *options) compare(text string, stdout io.Writer) error {
	old, err := os.ReadFile(filepath.Join(o.root, "docs", "suite-results.md"))
	if err != nil {
		return err
	}
	lines := differences(string(old), text)
	if len(lines) == 0 {
		fmt.Fprintf(stdout, "ok  docs/suite-results.md has the versions, counts and verdicts of %d peers\n", len(verdicts(text)))
		return nil
	}
	for _, line := range lines {
		fmt.Fprintln(stdout, line)
	}
	return errors.New("docs/suite-results.md is not current: make suite-results writes it")
}
