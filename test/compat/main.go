// Command compat shows that compat/gorilla takes the place of gorilla/websocket: it runs gorilla's own tests, and those of
// programs that depend on it, with the original and with the drop-in, and with the drop-in once more under the race
// detector. A test that passes with the original has to pass with the drop-in.
//
//	go run .                 all
//	go run . -only slack     the programs whose module has that in its path; "gorilla" is gorilla itself
//
// All that is tested comes from the Go module cache, into a directory that is removed afterwards.
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
	"strings"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("compat", flag.ContinueOnError)
	only := flags.String("only", "", "run the programs whose module has this `text` in its path")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	// The same directory each time: what was built there is in Go's cache.
	work := filepath.Join(root, ".cache", "compat")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	lab := &laboratory{root: root, work: work, turns: make(chan struct{}, atOnce)}
	results, err := lab.tryAll(ctx, out, *only)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\n", notRun(results), "\n", table(results))
	return verdict(out, results)
}

// atOnce is how many test runs there are at once: more than processors, as some of them wait for a minute.
const atOnce = 3

// tryAll tries the programs that have only in their path, side by side.
func (l *laboratory) tryAll(ctx context.Context, out io.Writer, only string) ([]result, error) {
	var results []result
	for _, p := range append([]program{gorilla}, programs...) {
		if strings.Contains(p.module, only) {
			results = append(results, result{program: p})
		}
	}
	errs := make([]error, len(results))
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			began := time.Now()
			if errs[i] = l.try(ctx, &results[i]); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", results[i].module, errs[i])
				return
			}
			fmt.Fprintf(out, "# %s in %d s\n", results[i].module, int(time.Since(began).Seconds()))
		})
	}
	all.Wait()
	return results, errors.Join(errs...)
}
