// Command topics measures what publishing to a topic costs a server, over TLS: package pubsub beside centrifuge, the topics of
// uWebSockets, and what is written by hand on gorilla/websocket.
//
//	go run ./topics            from bench, into report/topics.md and topics.json, in less than five minutes
//	go run ./topics -quick     the same with less, into report-quick
//	go run ./topics -libs wss,centrifuge
//
// Each server is a process of its own, which publishes by itself when it is told to. The subscribers are the same for all:
// connections of this program, which check that each of them gets every message, once and in order.
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
	"time"

	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
	"github.com/seed-c4549abd/wss/bench/sheet"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "topics:", err)
		os.Exit(1)
	}
}

var topicsSheet = sheet.Sheet{Name: "topics", Title: "Topics: what publishing costs a server", Command: "make bench-topics", How: "topics"}

// options are the command's flags.
type options struct {
	quick              bool
	rounds             int
	libs               []string
	out, cache, source string
}

func parse(args []string) (o options, server string, files []string, err error) {
	flags := flag.NewFlagSet("topics", flag.ContinueOnError)
	list := ""
	flags.StringVar(&server, "server", "", "be one of the servers; used by the program itself")
	flags.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, fewer connections")
	flags.IntVar(&o.rounds, "rounds", 0, "measured rounds of publications; 0: 15, or 3 with -quick")
	flags.StringVar(&list, "libs", "", "`names` of the lines to measure, as wss,centrifuge; none: all")
	flags.StringVar(&o.out, "out", "", "`directory` for the report; none: report, or report-quick with -quick")
	flags.StringVar(&o.source, "src", "foreign", "`directory` with the sources of the server on uWebSockets")
	flags.StringVar(&o.cache, "cache", "", "`directory` to build it in; none: wss/foreign in the user's cache")
	if err := flags.Parse(args); err != nil {
		return o, "", nil, err
	}
	if list != "" {
		o.libs = strings.Split(list, ",")
	}
	if o.out == "" {
		o.out = map[bool]string{false: "report", true: "report-quick"}[o.quick]
	}
	if o.cache == "" {
		o.cache, err = native.DefaultCache()
	}
	return o, server, flags.Args(), err
}

func run(args []string, stdout, stderr io.Writer) error {
	o, server, files, err := parse(args)
	if err != nil {
		return err
	}
	if server != "" {
		if len(files) != 2 {
			return errors.New("-server needs the files of a certificate and its key")
		}
		return serve(server, files[0], files[1], os.Stdin, stdout)
	}
	if err := rows.RaiseFileLimit(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := measure(ctx, o, stderr)
	if err != nil {
		return err
	}
	if err := topicsSheet.Write(r, o.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\nThe report is in %s.\n", sheet.Figures(r), filepath.Join(o.out, "topics.md"))
	return sheet.Failures(r)
}

// measure goes through the tables, in at most the plan's time.
func measure(ctx context.Context, o options, log io.Writer) (*report.Report, error) {
	servers, modules, absent, err := lineup(ctx, o, log)
	if err != nil {
		return nil, err
	}
	keys, err := native.NewKeys()
	if err != nil {
		return nil, err
	}
	defer keys.Remove()
	p := planned(o)
	limited, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	began := time.Now()
	r := &report.Report{Machine: report.ThisMachine(goModules), Date: began, Quick: o.quick}
	r.Machine.Peers = append(r.Machine.Peers, modules...)
	c := &rows.Config{Quick: o.quick, Log: log}
	for _, t := range p.tables(servers, keys) {
		fmt.Fprintf(log, "%4.0f s  %s\n", time.Since(began).Seconds(), t.Title)
		measured := c.Measure(limited, t)
		measured.Absent = append(measured.Absent, absent...)
		r.Tables = append(r.Tables, measured)
	}
	r.Took = time.Since(began)
	return r, ctx.Err()
}

// goModules are the modules of the servers that are written in Go.
var goModules = []string{"github.com/seed-c4549abd/wss", "github.com/centrifugal/centrifuge", "github.com/gorilla/websocket"}

// lineup returns the servers that take part. The one that has to be built first is absent if it cannot be.
func lineup(ctx context.Context, o options, log io.Writer) (servers []server, modules []report.Module, absent []report.Absent, err error) {
	takes := func(name string) bool { return len(o.libs) == 0 || slices.Contains(o.libs, name) }
	names := []string{uwsName}
	for _, s := range goServers() {
		names = append(names, s.name)
		if takes(s.name) {
			servers = append(servers, s)
		}
	}
	for _, name := range o.libs {
		if !slices.Contains(names, name) {
			return nil, nil, nil, fmt.Errorf("-libs: no line is called %q, there are %s", name, strings.Join(names, ", "))
		}
	}
	if !takes(uwsName) {
		return servers, nil, nil, nil
	}
	b := &native.Builder{Context: ctx, Cache: o.cache, Log: log}
	uws, module, err := uwsServer(b, o.source)
	if err != nil {
		fmt.Fprintf(log, "LEFT OUT: %s: %v\n", uwsName, err)
		return servers, nil, []report.Absent{{Name: uwsName, Reason: err.Error()}}, nil
	}
	return append(servers, uws), []report.Module{module}, nil, nil
}

// plan is what is measured.
type plan struct {
	shapes []shape
	memory subscriptions
	limit  time.Duration // of the whole run
}

// planned returns the full or the quick plan.
func planned(o options) plan {
	p := plan{
		shapes: []shape{
			{key: "1", conns: 1000, topics: 1, messages: 25, rate: 25},
			{key: "2", conns: 1000, topics: 100, messages: 2500, rate: 2500},
		},
		memory: subscriptions{key: "3", conns: 2000, each: 50, topics: 1000, rounds: 1, settle: time.Second, rate: 1000},
		limit:  5 * time.Minute,
	}
	rounds := 15
	if o.quick {
		p.shapes = []shape{
			{key: "1", conns: 200, topics: 1, messages: 15, rate: 50},
			{key: "2", conns: 200, topics: 20, messages: 300, rate: 1000},
		}
		p.memory.conns, p.memory.topics, p.memory.settle = 200, 100, 300*time.Millisecond
		p.limit, rounds = 40*time.Second, 3
	}
	if o.rounds > 0 {
		rounds = o.rounds
	}
	for i := range p.shapes {
		p.shapes[i].rounds, p.shapes[i].patience = rounds, patience
	}
	p.memory.patience = patience
	return p
}

// patience is how long a message, or an answer, may take.
const patience = 10 * time.Second

// tables returns the tables, with their titles.
func (p plan) tables(servers []server, keys *native.Keys) []rows.Table {
	var all []rows.Table
	for _, s := range p.shapes {
		s.title = fmt.Sprintf("%d B to %s, %s messages a second in all", payloadSize, topicsAndSubscribers(s), report.Number(float64(s.rate)))
		all = append(all, s.table(servers, keys))
	}
	m := p.memory
	m.title = fmt.Sprintf("Memory of %s connections with %d subscriptions each, to %s topics, less that of the connections",
		report.Number(float64(m.conns)), m.each, report.Number(float64(m.topics)))
	return append(all, m.table(servers, keys))
}

func topicsAndSubscribers(s shape) string {
	if s.topics == 1 {
		return fmt.Sprintf("a topic with %s subscribers", report.Number(float64(s.conns)))
	}
	return fmt.Sprintf("%d topics with %d subscribers each", s.topics, s.conns/s.topics)
}
