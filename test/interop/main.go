// Command interop shows that this library and others understand each other over
// wss, and fails if they do not.
//
//	go run ./test/interop [-only python|node|browser|wasm|compression] [-cache DIR] [-timeout TIME]
//
// Python's websockets and Node's ws each play the client of our echo server and the
// server of our client, with the same checks in both directions. A headless Chromium
// uses the page of the demo, and then another with a program of ours that was compiled for GOOS=js. The first three then go through the settings of
// permessage-deflate, one connection for each combination. What the first two need is
// installed into the cache directory; Chromium is installed from Debian if we are root
// there. The exit status is 0 if every check passed, 1 if one failed or could not be
// made, and 2 for a wrong use of the flags.
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

// peers are what we interoperate with, in the order of their runs; the last is all of
// them again, with compression.
var peers = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"python", runPython},
	{"node", runNode},
	{"browser", runBrowser},
	{"wasm", runWasm},
	{"compression", runCompression},
}

// bench is what the checks of all peers share.
type bench struct {
	report *report
	cache  string // where installations stay
	work   string // ends with the run
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
		fmt.Fprintln(stderr, "interop:", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	work, err := os.MkdirTemp("", "wss-interop-")
	if err != nil {
		fmt.Fprintln(stderr, "interop:", err)
		return exitFailed
	}
	defer os.RemoveAll(work)
	b := &bench{report: &report{w: stdout}, cache: o.cache, work: work, log: stderr}
	for _, peer := range peers {
		if o.only != "" && o.only != peer.name {
			continue
		}
		// What keeps a peer's checks from being made is a failure like theirs.
		if err := peer.run(ctx, b); err != nil {
			b.report.add(peer.name, err)
		}
	}
	if !b.report.close() {
		return exitFailed
	}
	return 0
}

// options are the flags, checked.
type options struct {
	only, cache string
	timeout     time.Duration
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	var names []string
	for _, peer := range peers {
		names = append(names, peer.name)
	}
	o := &options{}
	fs := flag.NewFlagSet("interop", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&o.only, "only", "", "the one `part` to run: "+strings.Join(names, ", "))
	fs.StringVar(&o.cache, "cache", install.DefaultDir("interop"), "`directory` for what is installed")
	fs.DurationVar(&o.timeout, "timeout", 15*time.Minute, "limit for everything")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.only != "" && !slices.Contains(names, o.only) {
		return nil, fmt.Errorf("-only %s: want one of %s", o.only, strings.Join(names, ", "))
	}
	if o.timeout <= 0 {
		return nil, fmt.Errorf("-timeout %v: want more than nothing", o.timeout)
	}
	var err error
	o.cache, err = filepath.Abs(o.cache) // programs run in other directories than this one
	return o, err
}
