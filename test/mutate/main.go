// Command mutate tests the tests: it changes the code of some packages in small ways, one at a time, and counts the changes that
// their own tests do not notice. gremlins finds what can be changed.
//
//	go run ./test/mutate                                  every package of the list, in hours: conn alone has some thousand changes
//	go run ./test/mutate frame mask                       some
//	go run ./test/mutate -sample 80 -seed 2 conn          80 of the changes in conn, always the same for the same seed
//	go run ./test/mutate -only '^(read|close)\.go' conn   those in some files
//	go run ./test/mutate -only '^read\.go:52:' conn       those in a line
//
// It prints a table, and below it each change that lived and is not among the equivalent ones of docs/mutation.md. A change
// with which the tests run on until they are stopped counts as killed: the time limit is several times what they take. A run that is
// interrupted prints what it has found so far, which is a sample as well.
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
	"regexp"
	"sync"
)

// packages are those whose tests are tested.
var packages = []string{"frame", "mask", "handshake", "tlsconf", "internal/deflate", "internal/outbox", "internal/wire", "conn"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	workers := flags.Int("workers", 1, "changes that are tested at the same time; tests that measure time may fail if there are many")
	patience := flags.Int("timeout", 4, "how many times as long as usual tests may take")
	size := flags.Int("sample", 0, "test so many changes of each package (0 for all), chosen by -seed")
	seed := flags.Int64("seed", 1, "what the choice of -sample depends on")
	pattern := flags.String("only", "", "make only changes whose place and kind match this regular `expression`")
	skip := flags.String("skip", "", "leave out tests whose name matches this regular `expression`: then fewer changes are noticed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	only, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	known, err := equivalents(filepath.Join("docs", "mutation.md"))
	if err != nil {
		return err
	}
	chosen := flags.Args()
	if len(chosen) == 0 {
		chosen = packages
	}
	var tallies []tally
	for _, name := range chosen {
		all, err := list(ctx, name, only)
		if err != nil {
			return err
		}
		t := tally{name: name, of: len(all)}
		mutants := sample(all, *size, *seed)
		fmt.Fprintf(stderr, "%s: %d of %d changes\n", name, len(mutants), len(all))
		err = testAll(ctx, name, mutants, max(*workers, 1), *patience, *skip, func(m mutant, s status) {
			fmt.Fprintf(stderr, "%s %s\n", s, m)
			t.add(m, s, sourceLine(m.file, m.line), known)
		})
		tallies = append(tallies, t)
		if err != nil {
			return errors.Join(err, write(stdout, tallies, *seed))
		}
	}
	return write(stdout, tallies, *seed)
}

// testAll tests mutants of a package in several laboratories, and reports each result, one at a time.
func testAll(ctx context.Context, name string, mutants []mutant, workers, patience int, skip string, report func(mutant, status)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan mutant, len(mutants))
	for _, m := range mutants {
		queue <- m
	}
	close(queue)
	var one sync.Mutex
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			lab, err := newLaboratory(ctx, name, patience, skip)
			if err != nil {
				cancel(err)
				return
			}
			defer lab.close()
			for m := range queue {
				s, err := lab.try(ctx, m)
				if err != nil {
					cancel(err)
					return
				}
				one.Lock()
				report(m, s)
				one.Unlock()
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
