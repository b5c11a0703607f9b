// Package suitecmd is the command line of the conformance suite, for the commands that run it: autobahn/suite/cmd and "wss conform".
package suitecmd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// ErrFailed says that there is a report, and that it holds failures.
var ErrFailed = errors.New("not every case passes")

// Options are the flags. Make them with Declare. A command may set the exported ones, if the user has not.
type Options struct {
	URL                string // of the server to test
	CA                 string // with URL: the file of the authorities to trust
	Insecure           bool   // with URL: accept any certificate
	Listen             string // address to listen at for clients to test
	Plain, Development bool   // with Listen: ws, or wss with a certificate made for this run
	Cert               string // with Listen: the file of a certificate

	http2   bool
	headers HeaderFlag
	agent   string
	wait    time.Duration

	parallel           int
	key                string
	once               bool
	cases              string
	slowness           float64
	latency            time.Duration
	rfc                bool
	out, junit, golden string
	update, quiet      bool
}

func (o *Options) patterns() []string { return strings.Split(o.cases, ",") }

// Declare declares the flags of the suite. What it returns is filled in when they are parsed.
func Declare(flags *flag.FlagSet) *Options {
	o := &Options{}
	flags.StringVar(&o.URL, "url", "", "`URL` of a server to run the cases against, ws or wss")
	flags.StringVar(&o.CA, "ca", "", "with -url: PEM `file` with the certificate authorities to trust in place of the system's")
	flags.BoolVar(&o.Insecure, "insecure", false, "with -url: accept any certificate")
	flags.BoolVar(&o.http2, "http2", false, "with -url: run the cases over HTTP/2 (RFC 8441), and those about its streams")
	flags.Var(&o.headers, "H", "with -url: "+HeaderUsage)
	flags.DurationVar(&o.wait, "wait", 0, "with -url: `time` to wait for a server that does not accept connections yet")
	flags.StringVar(&o.agent, "agent", "", "with -url: `name` of the server in reports; empty: what it calls itself")
	flags.IntVar(&o.parallel, "parallel", 0, "with -url: `connections` at once; 0: for every processor 64 that mostly wait, or 8 that are busy")
	flags.StringVar(&o.Listen, "listen", "", "`address` to listen at for clients, such as localhost:9001")
	flags.StringVar(&o.Cert, "cert", "", "with -listen: PEM `file` with the certificate for wss")
	flags.StringVar(&o.key, "key", "", "with -listen: PEM `file` with its key")
	flags.BoolVar(&o.Development, "development", false, "with -listen: wss with a certificate for localhost made for this run")
	flags.BoolVar(&o.Plain, "plain", false, "with -listen: ws")
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
	return o
}

// Check says which flags do not go together. Run calls it.
func (o *Options) Check() error {
	ways := 0
	for _, chosen := range []bool{o.Plain, o.Development, o.Cert != ""} {
		if chosen {
			ways++
		}
	}
	switch {
	case (o.URL == "") == (o.Listen == ""):
		return errors.New("suite: give either -url, of a server to test, or -listen, for clients to test")
	case o.URL != "" && (ways > 0 || o.key != "" || o.once):
		return errors.New("suite: -cert, -key, -development, -plain and -once go with -listen")
	case o.Listen != "" && (o.CA != "" || o.Insecure || o.agent != "" || o.parallel != 0 || len(o.headers) > 0 || o.wait != 0 || o.http2):
		return errors.New("suite: -ca, -insecure, -http2, -H, -wait, -agent and -parallel go with -url")
	case o.http2 && !strings.HasPrefix(o.URL, "wss:"):
		return errors.New("suite: -http2 needs a wss URL")
	case o.Listen != "" && ways != 1:
		return errors.New("suite: -listen needs one of -development, -cert with -key, or -plain")
	case (o.Cert == "") != (o.key == ""):
		return errors.New("suite: -cert and -key go together")
	case o.update && o.golden == "":
		return errors.New("suite: -update-golden needs -golden, the file to write")
	}
	return nil
}

// Run parses the arguments of a command line, and runs the cases. Its error is flag.ErrHelp, ErrFailed, or why they could not be run.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	flags.SetOutput(stderr)
	o := Declare(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("suite: %q: there are only flags", flags.Args())
	}
	return o.Run(ctx, stdout, stderr)
}

// Run runs the cases, and writes the reports. Its error is ErrFailed if one did not pass; any other says why they could not be run.
func (o *Options) Run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := o.Check(); err != nil {
		return err
	}
	w, err := newWriter(o)
	if err != nil {
		return err
	}
	var reports []*suite.Report
	if o.URL != "" {
		reports, err = dial(ctx, o, stderr)
	} else {
		reports, err = listen(ctx, o, w, stderr)
	}
	if err != nil {
		return err
	}
	finished := w.finish(stdout, reports)
	if o.http2 && (finished == nil || finished == ErrFailed) {
		if err := o.streams(ctx, stdout); err != nil {
			return err
		}
	}
	return finished
}
