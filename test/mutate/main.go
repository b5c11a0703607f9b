// Command mutate tests the tests: it has gremlins change the code of some packages in small ways, and counts the changes that
// their own tests do not notice.
//
//	go run ./test/mutate                    every package of the list, in hours: conn alone has some thousand changes
//	go run ./test/mutate frame mask         some
//
// It prints a table, and below it each change that lived and is not among the equivalent ones of docs/mutation.md. A change
// with which the tests run on until they are stopped counts as killed: the time limit is many times what they take. What gremlins
// takes for not covered, as the condition of a case belongs to no block of the coverage, is changed and tested here.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"text/tabwriter"
)

// gremlins is the tool that changes the code.
const gremlins = "github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0"

// packages are those whose tests are tested.
var packages = []string{"frame", "mask", "handshake", "tlsconf", "internal/deflate", "internal/wire", "conn"}

// elsewhere are files that no test on one machine can run: they are for other systems or processors.
var elsewhere = []string{`_other\.go$`, `_purego\.go$`, `_arm64\.go$`, `_windows\.go$`, `_generic\.go$`}

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
	workers := flags.Int("workers", 2, "changes that are tested at the same time")
	patience := flags.Int("timeout", 15, "how many times as long as usual tests may take")
	report := flags.String("report", "", "read a `file` that gremlins has written, and do not run it")
	if err := flags.Parse(args); err != nil {
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
		file := *report
		if file == "" {
			if file, err = mutate(ctx, name, *workers, *patience, stderr); err != nil {
				return err
			}
			defer os.Remove(file)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		lab, err := newLaboratory(ctx, name, *patience)
		if err != nil {
			return err
		}
		t, err := count(name, data, known, sourceLine, func(file, kind string, line, column int) (string, error) {
			return lab.try(ctx, file, kind, line, column)
		})
		lab.close()
		if err != nil {
			return err
		}
		tallies = append(tallies, t)
		fmt.Fprintf(stderr, "%s: %.1f %% of %d killed\n", name, 100*t.efficacy(), t.killed+t.timedOut+t.lived())
	}
	return write(stdout, tallies)
}

// mutate runs gremlins over a package, and returns the file with what it found.
func mutate(ctx context.Context, name string, workers, patience int, log io.Writer) (string, error) {
	out, err := os.CreateTemp("", "mutate-*.json")
	if err != nil {
		return "", err
	}
	_ = out.Close()
	args := []string{"run", gremlins, "unleash", "./" + name, "--output", out.Name(),
		"--workers", strconv.Itoa(workers), "--timeout-coefficient", strconv.Itoa(patience)}
	for _, pattern := range elsewhere {
		args = append(args, "--exclude-files", pattern)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	fmt.Fprintf(log, "%s …\n", name)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, tail(said.Bytes(), 2000))
	}
	return out.Name(), nil
}

func tail(b []byte, n int) []byte { return b[max(len(b)-n, 0):] }

// write prints the table, and what lived.
func write(w io.Writer, tallies []tally) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "package\tkilled\ttimed out\tlived\tequivalent\tnot covered\tefficacy\t")
	for _, p := range tallies {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t\n",
			p.name, p.killed, p.timedOut, p.lived(), p.equivalent, p.notCovered, 100*p.efficacy())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range tallies {
		for _, s := range p.survivors {
			fmt.Fprintf(w, "lived: %s\n", s)
		}
		for _, s := range p.bare {
			fmt.Fprintf(w, "not covered: %s\n", s)
		}
	}
	return nil
}
