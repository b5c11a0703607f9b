// Command foreign measures this library beside servers that are not written in Go:
// uWebSockets, fastwebsockets and tokio-tungstenite. It builds them, for which it needs
// their toolchains; what cannot be built is left out, and the report says why.
//
//	go run ./foreign                  from bench, into report/foreign.md and foreign.json
//	go run ./foreign -quick -rows 1,6
//
// The load, the rounds and the figures are those of bench; what is compared is the CPU
// time per message of the servers' processes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "foreign:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	quick            bool
	rows             string
	rounds           int
	window           time.Duration
	out, cache, from string
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("foreign", flag.ContinueOnError)
	flags.String("server", "", "be one of our servers; used by the program itself")
	flags.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, fewer connections")
	flags.StringVar(&o.rows, "rows", "", "rows to measure, as `1,4`; none: 1, 2, 3, 4 and 6")
	flags.IntVar(&o.rounds, "rounds", 0, "measured rounds of each table; 0: 15, or 3 with -quick")
	flags.DurationVar(&o.window, "window", 0, "length of a round; 0: 250ms, or 120ms with -quick")
	flags.StringVar(&o.out, "out", "report", "`directory` for the report")
	flags.StringVar(&o.from, "src", "foreign", "`directory` with the servers' sources")
	flags.StringVar(&o.cache, "cache", "", "`directory` to build in; none: wss/foreign in the user's cache")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.rounds == 0 {
		o.rounds = map[bool]int{false: 15, true: 3}[o.quick]
	}
	if o.window == 0 {
		o.window = map[bool]time.Duration{false: 250 * time.Millisecond, true: 120 * time.Millisecond}[o.quick]
	}
	if o.cache == "" {
		o.cache, err = native.DefaultCache()
	}
	return o, err
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "-server" { // a child of package child
		return child.Run(os.Stdin, stdout)
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	shapes, err := chosen(shapes(o.quick), o.rows)
	if err != nil {
		return err
	}
	if err := rows.RaiseFileLimit(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &builder{native.Builder{Context: ctx, Cache: o.cache, Log: stderr}, o.from}
	servers, absent := b.all()
	keys, err := native.NewKeys()
	if err != nil {
		return err
	}
	defer keys.Remove()
	servers, unfit, err := probed(servers, keys)
	if err != nil {
		return err
	}
	absent = append(absent, unfit...)
	for _, a := range absent {
		fmt.Fprintf(stderr, "\nLEFT OUT: %s: %s\n\n", a.Name, a.Reason)
	}
	if len(servers) == 0 {
		return fmt.Errorf("nothing to compare with: no foreign server could be built and started")
	}
	r := measure(ctx, o, shapes, append(ours(), servers...), keys, stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range r.Tables {
		r.Tables[i].Absent = append(r.Tables[i].Absent, absent...)
	}
	r.Marks = compare(r)
	if err := write(r, o.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\nThe report is in %s.\n", figures(r), filepath.Join(o.out, "foreign.md"))
	return nil
}

// measure goes through the tables; in each the rounds of all servers are interleaved.
func measure(ctx context.Context, o options, shapes []shape, servers []server, keys *native.Keys, log io.Writer) *report.Report {
	start := time.Now()
	c := &rows.Config{Quick: o.quick, Rounds: o.rounds, Window: o.window, Log: log}
	r := &report.Report{Machine: report.ThisMachine([]string{"github.com/seed-c4549abd/wss"}), Date: start, Quick: o.quick}
	for _, s := range servers {
		for _, m := range s.modules {
			if !slices.Contains(r.Machine.Peers, m) {
				r.Machine.Peers = append(r.Machine.Peers, m)
			}
		}
	}
	for _, s := range shapes {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(log, "%4.0f s  %s: %s\n", time.Since(start).Seconds(), s.key, s.title)
		r.Tables = append(r.Tables, c.Measure(ctx, s.table(servers, keys, o.window)))
	}
	r.Took = time.Since(start)
	return r
}

// chosen picks the shapes of the listed rows.
func chosen(all []shape, list string) ([]shape, error) {
	if list == "" {
		return all, nil
	}
	var some []shape
	for _, f := range strings.Split(list, ",") {
		row, err := strconv.Atoi(f)
		if err != nil || !slices.ContainsFunc(all, func(s shape) bool { return s.row == row }) {
			return nil, fmt.Errorf("-rows: %q is not among 1, 2, 3, 4 and 6", f)
		}
		for _, s := range all {
			if s.row == row {
				some = append(some, s)
			}
		}
	}
	return some, nil
}
