package suitecmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// listen is a fuzzing server until it is interrupted, or a client has asked it to stop. Reports are written each time that
// a client asks for them.
func listen(ctx context.Context, o *Options, w *writer, stderr io.Writer) ([]*suite.Report, error) {
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	options := suite.ServerOptions{TLS: config, Cases: o.patterns(), Slowness: o.slowness, Latency: o.latency, ByRFC: o.rfc, Once: o.once}
	options.Update = func(reports []*suite.Report) error {
		err := w.files(reports)
		if err != nil {
			fmt.Fprintln(stderr, err)
		}
		return err
	}
	if !o.quiet {
		options.Progress = func(r *suite.Result) {
			fmt.Fprintf(stderr, "%q, %s: %s, %s\n", r.Agent, r.ID, r.Behavior, r.BehaviorClose)
		}
	}
	server, err := suite.NewServer(options)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	scheme := "wss"
	if config == nil {
		scheme = "ws"
	}
	fmt.Fprintf(stderr, "%d cases for clients at %s://%s\n", len(server.Cases()), scheme, ln.Addr())
	if err := server.Serve(ctx, ln); err != nil {
		return nil, err
	}
	reports := server.Reports()
	if len(reports) == 0 {
		return nil, errors.New("suite: no client has run a case")
	}
	return reports, nil
}

// tls returns the configuration that the flags ask for, nil for ws.
func (o *Options) tls() (*tls.Config, error) {
	switch {
	case o.Plain:
		return nil, nil
	case o.Development:
		ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
		if err != nil {
			return nil, err
		}
		return tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate})
	}
	cert, err := tls.LoadX509KeyPair(o.Cert, o.key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}
