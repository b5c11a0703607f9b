package suitecmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// dial runs the cases against a server.
func dial(ctx context.Context, o *Options, stderr io.Writer) ([]*suite.Report, error) {
	config, err := trust(o.CA, o.Insecure)
	if err != nil {
		return nil, err
	}
	options := suite.Options{
		URL: o.URL, TLS: config, Agent: o.agent, Cases: o.patterns(), Parallel: o.parallel, Slowness: o.slowness, Latency: o.latency,
		ByRFC: o.rfc,
	}
	if !o.quiet {
		options.Begin = func(p suite.Plan) {
			fmt.Fprintln(stderr, p)
		}
		options.Progress = func(done, total int, r *suite.Result) {
			fmt.Fprintf(stderr, "\r%d of %d: %-10s", done, total, r.ID)
			if done == total {
				fmt.Fprintln(stderr)
			}
		}
	}
	r, err := suite.Run(ctx, options)
	if err != nil {
		return nil, err
	}
	return []*suite.Report{r}, nil
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
