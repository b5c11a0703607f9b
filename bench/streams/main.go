// Command streams measures this library's WebSockets over HTTP/1.1, HTTP/2 and HTTP/3 side by side, over TLS.
//
//	go run ./streams            from bench, into report/streams.md and streams.json, in less than four minutes
//	go run ./streams -quick     the same with less, into report-quick
//
// The server is a process of its own; its clients are connections of this program, the same for each version of HTTP. Over HTTP/2 and HTTP/3, 100
// WebSockets share a connection.
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
	"time"

	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
	"github.com/seed-c4549abd/wss/bench/sheet"
	_ "github.com/seed-c4549abd/wss/http2/enable"
)

var streamsSheet = sheet.Sheet{
	Name: "streams", Title: "WebSockets over HTTP/1.1, HTTP/2 and HTTP/3", Command: "make bench-streams", How: "streams",
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "streams:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	quick bool
	out   string
}

func run(args []string, stdout, stderr io.Writer) error {
	var o options
	server := ""
	flags := flag.NewFlagSet("streams", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&server, "server", "", "be one of the servers; used by the program itself")
	flags.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, fewer connections")
	flags.StringVar(&o.out, "out", "", "`directory` for the report; none: report, or report-quick with -quick")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.out == "" {
		o.out = map[bool]string{false: "report", true: "report-quick"}[o.quick]
	}
	if server != "" {
		if flags.NArg() != 2 {
			return errors.New("-server needs the files of a certificate and its key")
		}
		return serve(server, flags.Arg(0), flags.Arg(1), os.Stdin, stdout)
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
	if err := streamsSheet.Write(r, o.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\nThe report is in %s.\n", sheet.Figures(r), filepath.Join(o.out, "streams.md"))
	return sheet.Failures(r)
}

// modules are those that the report names.
var modules = []string{"github.com/seed-c4549abd/wss", "github.com/quic-go/quic-go"}

// measure goes through the tables.
func measure(ctx context.Context, o options, log io.Writer) (*report.Report, error) {
	keys, err := native.NewKeys()
	if err != nil {
		return nil, err
	}
	defer keys.Remove()
	limited, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	began := time.Now()
	r := &report.Report{Machine: report.ThisMachine(modules), Date: began, Quick: o.quick}
	c := &rows.Config{Quick: o.quick, Log: log}
	for _, t := range tables(o, keys) {
		fmt.Fprintf(log, "%4.0f s  %s\n", time.Since(began).Seconds(), t.Title)
		r.Tables = append(r.Tables, c.Measure(limited, t))
	}
	r.Took = time.Since(began)
	return r, ctx.Err()
}

// tables returns what is measured.
func tables(o options, keys *native.Keys) []rows.Table {
	paced := echo{conns: 100, rate: 2000, time: 2 * time.Second, rounds: 10}
	fast := echo{conns: 100, time: 2 * time.Second, rounds: 10}
	idle := memory{conns: 2000, rounds: 3, settle: 5 * time.Second}
	fair := echo{conns: 1, time: time.Second, rounds: 10, deaf: 20}
	if o.quick {
		paced.time, paced.rounds, fast.time, fast.rounds = 500*time.Millisecond, 3, 500*time.Millisecond, 3
		fair.time, fair.rounds = 300*time.Millisecond, 3
		idle.conns, idle.rounds, idle.settle = 300, 1, 300*time.Millisecond
	}
	paced.key, paced.title = "1", fmt.Sprintf("Echo of %d B: %d WebSockets, %d messages a second in all", size, paced.conns, paced.rate)
	fast.key, fast.title = "2", fmt.Sprintf("Echo of %d B: %d WebSockets, each sends when it has got its answer", size, fast.conns)
	idle.key, idle.title = "3", fmt.Sprintf("Memory of %d idle WebSockets, %d on a connection where they share one", idle.conns, shared)
	fair.key, fair.title = "4", fmt.Sprintf("Echo of %d B on one WebSocket, beside %d that are flooded and read nothing", size, fair.deaf)
	return []rows.Table{paced.table(keys), fast.table(keys), idle.table(keys), fair.table(keys)}
}
