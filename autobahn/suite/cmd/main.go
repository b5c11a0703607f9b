// Command cmd runs the conformance suite, against a WebSocket server that echoes messages, or as a server that clients
// connect to:
//
//	go run ./autobahn/suite/cmd -url wss://localhost:8443/echo [-ca FILE | -insecure]
//	go run ./autobahn/suite/cmd -listen localhost:9001 -plain | -development | -cert FILE -key FILE
//
// As a server it understands the paths of the original's, and ends on an interrupt, or when a client asks for it by
// /stopServer. It prints a table and every case that did not pass; flags are for reports in files (-out, -junit), for known
// deviations (-golden, -update-golden) and for a part of the cases (-cases). Its exit status is 0 if all passed, 1 if one
// did not, and 2 if they could not be run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// errFailed says that there is a report, and that it holds failures.
var errFailed = errors.New("not every case passes")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// options are the flags.
type options struct {
	url, ca, agent           string
	insecure                 bool
	parallel                 int
	listen, cert, key        string
	plain, development, once bool
	cases                    string
	slowness                 float64
	latency                  time.Duration
	rfc                      bool
	out, junit, golden       string
	update, quiet            bool
}

func (o *options) patterns() []string { return strings.Split(o.cases, ",") }

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.url, "url", "", "`URL` of a server to run the cases against, ws or wss")
	flags.StringVar(&o.ca, "ca", "", "with -url: PEM `file` with the certificate authorities to trust in place of the system's")
	flags.BoolVar(&o.insecure, "insecure", false, "with -url: accept any certificate")
	flags.StringVar(&o.agent, "agent", "", "with -url: `name` of the server in reports; empty: what it calls itself")
	flags.IntVar(&o.parallel, "parallel", 0, "with -url: `connections` at once; 0: for every processor 64 that mostly wait, or 8 that are busy")
	flags.StringVar(&o.listen, "listen", "", "`address` to listen at for clients, such as localhost:9001")
	flags.StringVar(&o.cert, "cert", "", "with -listen: PEM `file` with the certificate for wss")
	flags.StringVar(&o.key, "key", "", "with -listen: PEM `file` with its key")
	flags.BoolVar(&o.development, "development", false, "with -listen: wss with a certificate for localhost made for this run")
	flags.BoolVar(&o.plain, "plain", false, "with -listen: ws")
	flags.BoolVar(&o.once, "once", false, "with -listen: end when a client has asked for reports")
	flags.StringVar(&o.cases, "cases", "*", "`patterns` of the cases to run, with commas between them, such as 1.*,6.4.1")
	flags.Float64Var(&o.slowness, "slowness", 1, "`factor` by which every wait is longer")
	flags.DurationVar(&o.latency, "latency", 0, "`time` of the peer for an answer, by which waits are longer; 0: it is measured")
	flags.BoolVar(&o.rfc, "rfc", false, "have the verdicts by the RFC alone count where they are not the original's")
	flags.StringVar(&o.out, "out", "", "`directory` for index.html, index.json and a page and a file for each case")
	flags.StringVar(&o.junit, "junit", "", "`file` for a report in JUnit's XML")
	flags.StringVar(&o.golden, "golden", "", "`file` with the known deviations: just those must appear")
	flags.BoolVar(&o.update, "update-golden", false, "write the deviations of this run to the file of -golden")
	flags.BoolVar(&o.quiet, "quiet", false, "do not show progress")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("suite: %q: there are only flags", flags.Args())
	}
	return o, o.check()
}

// check says which flags do not go together.
func (o *options) check() error {
	ways := 0
	for _, chosen := range []bool{o.plain, o.development, o.cert != ""} {
		if chosen {
			ways++
		}
	}
	switch {
	case (o.url == "") == (o.listen == ""):
		return errors.New("suite: give either -url, of a server to test, or -listen, for clients to test")
	case o.url != "" && (ways > 0 || o.key != "" || o.once):
		return errors.New("suite: -cert, -key, -development, -plain and -once go with -listen")
	case o.listen != "" && (o.ca != "" || o.insecure || o.agent != "" || o.parallel != 0):
		return errors.New("suite: -ca, -insecure, -agent and -parallel go with -url")
	case o.listen != "" && ways != 1:
		return errors.New("suite: -listen needs one of -development, -cert with -key, or -plain")
	case (o.cert == "") != (o.key == ""):
		return errors.New("suite: -cert and -key go together")
	case o.update && o.golden == "":
		return errors.New("suite: -update-golden needs -golden, the file to write")
	}
	return nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	w, err := newWriter(o)
	if err != nil {
		return err
	}
	var reports []*suite.Report
	if o.url != "" {
		reports, err = dial(ctx, o, stderr)
	} else {
		reports, err = listen(ctx, o, w, stderr)
	}
	if err != nil {
		return err
	}
	return w.finish(stdout, reports)
}
