// Command cmd runs the conformance suite against a WebSocket server that echoes messages:
//
//	go run ./autobahn/suite/cmd -url wss://localhost:8443/echo [-cases 1.*,6.4.1] [-ca FILE | -insecure] [-out DIR]
//
// It prints a table and every case that did not pass. Its exit status is 0 if all did, 1 if one did not, and 2 if they
// could not be run.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// errFailed says that there is a report, and that it holds failures.
var errFailed = errors.New("not every case passes")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
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

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	flags.SetOutput(stderr)
	url := flags.String("url", "", "`URL` of the server, ws or wss")
	cases := flags.String("cases", "*", "`patterns` of the cases to run, with commas between them, such as 1.*,6.4.1")
	ca := flags.String("ca", "", "PEM `file` with the certificate authorities to trust in place of the system's")
	insecure := flags.Bool("insecure", false, "accept any certificate")
	out := flags.String("out", "", "`directory` for index.json and a file for each case; none if empty")
	agent := flags.String("agent", "", "`name` of the server in reports; empty: what it calls itself")
	parallel := flags.Int("parallel", 0, "`connections` at once; 0: 16 for every processor")
	slowness := flags.Float64("slowness", 1, "`factor` by which every wait is longer")
	quiet := flags.Bool("quiet", false, "do not show progress")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" || flags.NArg() > 0 {
		return errors.New("suite: -url is needed, and nothing but flags")
	}
	config, err := trust(*ca, *insecure)
	if err != nil {
		return err
	}
	options := suite.Options{
		URL: *url, TLS: config, Agent: *agent, Cases: strings.Split(*cases, ","), Parallel: *parallel, Slowness: *slowness,
	}
	if !*quiet {
		options.Progress = func(done, total int, r *suite.Result) {
			fmt.Fprintf(stderr, "\r%d of %d: %-10s", done, total, r.ID)
			if done == total {
				fmt.Fprintln(stderr)
			}
		}
	}
	report, err := suite.Run(ctx, options)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := report.WriteJSON(*out); err != nil {
			return err
		}
	}
	if err := report.WriteTable(stdout); err != nil {
		return err
	}
	if !report.Passes() {
		return errFailed
	}
	return nil
}

// trust says which certificates are accepted. A file replaces the system's authorities.
func trust(file string, insecure bool) (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: insecure}
	if file == "" {
		return config, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("suite: %s holds no certificate in PEM", file)
	}
	return config, nil
}
