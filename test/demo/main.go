// Command demo tests the demo that make run starts (examples/demo) in Chromium and in Firefox. In each, two users chat, play, and look at
// the market and the monitor. Then it kills one of two nodes while they chat.
//
//	go run ./test/demo [-only chromium|firefox] [-pictures docs/images]
//
// With -pictures it writes pictures of the pages there. What is missing is installed from Debian, if we are root there. The exit status is 0
// if every check passed, 1 if one failed or could not be made, and 2 for a wrong use of the flags.
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

	"github.com/seed-c4549abd/wss/test/browsers"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

var names = []string{"chromium", "firefox"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "use one of "+strings.Join(names, ", "))
	pictures := flags.String("pictures", "", "write pictures of the pages into this `directory`")
	timeout := flags.Duration("timeout", 10*time.Minute, "the time for all")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0 || *only != "" && !slices.Contains(names, *only):
		fmt.Fprintf(stderr, "demo: -only is one of %s, and there are no arguments\n", strings.Join(names, ", "))
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("not done after %v", *timeout))
	defer cancel()
	if err := browsers.Install(ctx, stderr); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return exitFailed
	}
	program, err := build(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return exitFailed
	}
	defer os.Remove(program)
	status := 0
	for _, name := range names {
		if *only != "" && *only != name {
			continue
		}
		v := visit{program: program, browser: name, out: stdout}
		if name == names[0] {
			v.pictures = *pictures
		}
		if err := v.all(ctx); err != nil {
			fmt.Fprintf(stdout, "FAILED  %s: %v\n", name, err)
			status = exitFailed
		}
		fmt.Fprintf(stdout, "# %s: %d checks passed, %d failed\n", name, v.passed, v.failed)
		if v.failed > 0 {
			status = exitFailed
		}
	}
	return status
}
