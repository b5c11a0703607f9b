// Command parity compares package suite with the original Autobahn|Testsuite, verdict by verdict: the same cases against
// the same testees, in both suites.
//
//	go run ./autobahn/parity                                   # all cases, all testees: many hours
//	go run ./autobahn/parity -testees wss,gorilla -cases '6.*' # a few
//
// Testees are this library in both roles, echo servers on other libraries (from the bench module), and servers that break
// one rule each. What the suites do not agree in is run again, to tell what differs from what is unsteady in itself. The
// table goes to standard output and DIR/parity.md, the reports of every run beside it. The exit status is 1 if a
// difference has no known cause, and 2 if the suites could not be compared. Package runner says what the original needs.
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
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// errDifferent says that there is a table, with differences that nobody has explained.
var errDifferent = errors.New("the suites differ, and the cause is not known")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errDifferent):
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(2)
	}
}

// options are the flags, checked.
type options struct {
	testees          []testee
	cases            []string
	out, root        string
	parallel, repeat int
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("parity", flag.ContinueOnError)
	fs.SetOutput(output)
	names := fs.String("testees", "*", "`names` of the testees, or patterns of them, with commas between")
	role := fs.String("role", "", "`role` of the testees, server or client; empty: both")
	cases := fs.String("cases", "*", "`cases` to run: ids or patterns such as 7.13.*, with commas between")
	fs.StringVar(&o.out, "out", filepath.Join("autobahn", "reports", "parity"), "`directory` for the table and all reports")
	fs.StringVar(&o.root, "root", ".", "`directory` of this repository")
	fs.IntVar(&o.parallel, "parallel", 2*runtime.NumCPU(), "number of the original's processes at once")
	fs.IntVar(&o.repeat, "repeat", 3, "how often to run again what differs")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.parallel < 1 || o.repeat < 0 {
		return nil, errors.New("-parallel is at least 1, and -repeat not negative")
	}
	var err error
	if o.testees, err = choose(testees(), strings.Split(*names, ",")); err != nil {
		return nil, err
	}
	o.testees = slices.DeleteFunc(o.testees, func(t testee) bool { return *role != "" && t.role != *role })
	if len(o.testees) == 0 {
		return nil, fmt.Errorf("none of the testees has the role %q", *role)
	}
	if o.cases, err = report.Match(strings.Split(*cases, ",")); err != nil {
		return nil, err
	}
	if o.root, err = filepath.Abs(o.root); err != nil {
		return nil, err
	}
	o.out, err = filepath.Abs(o.out)
	return o, err
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "wss-parity-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	b := &bench{root: o.root, tmp: tmp, out: o.out, parallel: o.parallel, log: stderr, built: map[string]string{}}
	var outcomes []outcome
	unexplained := 0
	for i := range o.testees {
		t := &o.testees[i]
		c, err := b.compare(ctx, t, o.cases, o.repeat)
		if err != nil {
			return fmt.Errorf("%v: %w", t, err)
		}
		outcomes = append(outcomes, outcome{*t, c})
		unexplained += outcomes[i].unexplained()
		if err := save(filepath.Join(o.out, "parity.md"), outcomes); err != nil { // after each: a run may take hours
			return err
		}
	}
	err = writeTable(stdout, outcomes)
	if err == nil && unexplained > 0 {
		err = errDifferent
	}
	return err
}

// save replaces the file with the table so far.
func save(path string, outcomes []outcome) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(writeTable(file, outcomes), file.Close())
}
