// Command bench measures this library beside its peers, on one machine, over loopback,
// and says which of its marks are met.
//
//	go run .                     everything, into report/, in some 25 minutes
//	go run . -quick              everything with less, in two
//	go run . -rows 1,5 -libs wss,gws,tls
//	go run . -url wss://localhost:8443/echo -insecure -pid 1234
//	go run . -compat             compat/gorilla beside gorilla
//	go run . -observers          what the observers of package observe cost an echo of 32 bytes
//
// The measured servers, and the clients of row 10, are processes of their own: this
// program again, with -server or -client. They are told what to do in JSON on their
// standard input, and end with it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var (
		server    = flags.String("server", "", "be the server of a library; used by the program itself")
		client    = flags.String("client", "", "be the client of a library; used by the program itself")
		quick     = flags.Bool("quick", false, "fewer and shorter rounds, fewer connections")
		rowList   = flags.String("rows", "", "rows to measure, as `1,5,9`; none: all")
		libList   = flags.String("libs", "", "libraries to measure, as `wss,gws,tls`; none: all")
		rounds    = flags.Int("rounds", 0, "measured rounds of each table; 0: as many as usual")
		out       = flags.String("out", "report", "`directory` for the report")
		conns     = flags.Int("conns", 0, "at most so many connections, for trying things out; 0: as many as usual")
		profiles  = flags.String("profiles", "", "`directory` for CPU profiles of the measured processes; empty: none")
		foreign   rows.Foreign
		again     = flags.Bool("again", false, "measure nothing: write the report in -out again, from its report.json")
		observers = flags.Bool("observers", false, "measure rows 1 and 5 without and with the observers of package observe")
		compat    = flags.Bool("compat", false, "measure rows 1 to 6, 8 and 9 with compat/gorilla, beside gorilla")
		interval  = flags.Duration("window", 0, "length of a round; 0: as usual")
	)
	flags.StringVar(&foreign.URL, "url", "", "measure the echo at this wss or ws `URL` on loopback, with the shapes of rows 1 to 6")
	flags.IntVar(&foreign.PID, "pid", 0, "the process that serves -url, for its CPU time")
	flags.StringVar(&foreign.CAFile, "ca", "", "`file` with the certificate of the authority that -url's is from")
	flags.BoolVar(&foreign.Insecure, "insecure", false, "do not check -url's certificate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *server != "" || *client != "" {
		return child.Run(os.Stdin, stdout)
	}
	if *again {
		r, err := report.Read(*out)
		if err != nil {
			return err
		}
		return r.Write(*out)
	}
	if err := rows.RaiseFileLimit(); err != nil {
		return err
	}
	c := &rows.Config{Quick: *quick, Rounds: 15, Window: 200 * time.Millisecond, MaxConns: *conns, Log: stderr}
	if *quick {
		c.Rounds, c.Window = 3, 120*time.Millisecond
	}
	if *rounds > 0 {
		c.Rounds = *rounds
	}
	if *interval > 0 {
		c.Window = *interval
	}
	var err error
	if *profiles != "" {
		if c.Profiles, err = filepath.Abs(*profiles); err != nil {
			return err
		}
		if err := os.MkdirAll(c.Profiles, 0o755); err != nil {
			return err
		}
	}
	if c.Rows, err = numbers(*rowList); err != nil {
		return err
	}
	if *libList != "" {
		c.Libs = strings.Split(*libList, ",")
	}
	if c.Cert, c.Key, err = child.NewCert(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	tables := c.Plan()
	if foreign.URL != "" {
		if tables, err = c.ForeignPlan(foreign); err != nil {
			return err
		}
	}
	if *observers {
		tables = c.ObserverPlan()
	}
	if *compat {
		tables = c.CompatPlan()
	}
	r := measure(ctx, c, tables, stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range r.Tables {
		fmt.Fprintf(stdout, "%d. %s\n\n%s\n", r.Tables[i].Row, r.Tables[i].Title, r.Tables[i].Text())
	}
	if foreign.URL != "" || *observers || *compat {
		return nil
	}
	fmt.Fprint(stdout, r.MarksTable())
	if err := r.Write(*out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%d of %d marks met; %s; the report is in %s\n", r.Count(report.Met), len(r.Marks), r.Took.Round(time.Second), *out)
	return nil
}

func measure(ctx context.Context, c *rows.Config, tables []rows.Table, log io.Writer) *report.Report {
	var modules []string
	for _, l := range libs.All() {
		if l.Module != "" && (len(modules) == 0 || modules[len(modules)-1] != l.Module) {
			modules = append(modules, l.Module)
		}
	}
	start := time.Now()
	r := &report.Report{Machine: report.ThisMachine(modules), Date: start, Quick: c.Quick}
	for _, t := range tables {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(log, "%4.0f s  %s: %s\n", time.Since(start).Seconds(), t.Key, t.Title)
		r.Tables = append(r.Tables, c.Measure(ctx, t))
	}
	r.Took = time.Since(start)
	r.Marks = c.Judge(r)
	return r
}

func numbers(list string) ([]int, error) {
	var all []int
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 17 {
			return nil, fmt.Errorf("-rows: %q is not a row, want 1 to 17", s)
		}
		all = append(all, n)
	}
	return all, nil
}
