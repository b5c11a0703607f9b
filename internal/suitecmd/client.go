package suitecmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/http2"
)

// dial runs the cases against a server.
func dial(ctx context.Context, o *Options, stderr io.Writer) ([]*suite.Report, error) {
	config, err := trust(o.CA, o.Insecure)
	if err != nil {
		return nil, err
	}
	header, err := o.headers.Fields()
	if err != nil {
		return nil, err
	}
	options := suite.Options{
		URL: o.URL, TLS: config, Header: header, Agent: o.agent, Cases: o.patterns(), Parallel: o.parallel, Slowness: o.slowness, Latency: o.latency,
		ByRFC: o.rfc,
	}
	if o.http2 {
		pool := &http2.Pool{Require: true}
		defer pool.Close()
		if options.OpenStream, err = openStream(pool, o.URL, config, header); err != nil {
			return nil, err
		}
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
	if err := o.await(ctx, &options, stderr); err != nil {
		return nil, err
	}
	r, err := suite.Run(ctx, options)
	if err != nil {
		return nil, err
	}
	return []*suite.Report{r}, nil
}

// await waits for a server that does not accept connections yet, if the flags say so, and measures its latency.
func (o *Options) await(ctx context.Context, options *suite.Options, stderr io.Writer) error {
	said := o.quiet
	for end := time.Now().Add(o.wait); o.wait > 0; {
		latency, err := suite.Latency(ctx, *options)
		if _, gone := errors.AsType[*suite.GoneError](err); !gone || !time.Now().Before(end) {
			if options.Latency == 0 {
				options.Latency = latency
			}
			return err
		}
		if !said {
			said = true
			fmt.Fprintf(stderr, "waiting for a server at %s, for %v at most\n", o.URL, o.wait)
		}
		select {
		case <-time.After(min(time.Second, time.Until(end))):
		case <-ctx.Done():
			return ctx.Err()
		}
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
