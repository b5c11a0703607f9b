package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	wsshttp3 "github.com/seed-c4549abd/wss/http3"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// certificate is a certificate authority for localhost that lives as long as the process.
var certificate = sync.OnceValues(func() (*tlsconf.DevCA, error) { return tlsconf.Development(tlsconf.DevOptions{InMemory: true}) })

// configs returns the TLS of a server and of its client.
func configs() (server, client *tls.Config, err error) {
	ca, err := certificate()
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{GetCertificate: ca.GetCertificate, MinVersion: tls.VersionTLS12}, &tls.Config{RootCAs: ca.Pool()}, nil
}

// compression is what both sides agree on if the suite wants it: every message goes compressed that gets smaller.
var compression = conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1}

// messageLimit is above the longest message of a case.
const messageLimit = 32 << 20

// echo sends back what comes.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, &conn.AcceptOptions{MessageLimit: messageLimit, Compression: compression})
	if err != nil {
		return
	}
	ctx := c.Context()
	_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, m.Data) })
}

// serve2 serves over HTTP/2, and returns the address.
func serve2(handler http.Handler) (addr string, client *tls.Config, stop func(), err error) {
	server, client, err := configs()
	if err != nil {
		return "", nil, nil, err
	}
	srv := &http.Server{Handler: handler, TLSConfig: server}
	if err := http2.Configure(srv); err != nil {
		return "", nil, nil, err
	}
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", nil, nil, err
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	return ln.Addr().String(), client, func() { _ = srv.Close(); <-done }, nil
}

// serve3 serves over HTTP/3, and returns the address.
func serve3(handler http.Handler) (addr string, client *tls.Config, stop func(), err error) {
	server, client, err := configs()
	if err != nil {
		return "", nil, nil, err
	}
	srv := &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(server)}
	wsshttp3.Configure(srv)
	pc, err := net.ListenPacket("udp", "localhost:0")
	if err != nil {
		return "", nil, nil, err
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(pc) }()
	return pc.LocalAddr().String(), client, func() { _ = srv.Close(); <-done; _ = pc.Close() }, nil
}

func suiteAgainstServer2(ctx context.Context, o *options) error {
	addr, client, stop, err := serve2(http.HandlerFunc(echo))
	if err != nil {
		return err
	}
	defer stop()
	pool := &http2.Pool{Require: true}
	defer pool.Close()
	return judge(ctx, o, addr, client, pool, "wss over HTTP/2")
}

func suiteAgainstServer3(ctx context.Context, o *options) error {
	addr, client, stop, err := serve3(http.HandlerFunc(echo))
	if err != nil {
		return err
	}
	defer stop()
	pool := &wsshttp3.Pool{Require: true}
	defer pool.Close()
	return judge(ctx, o, addr, client, pool, "wss over HTTP/3")
}

// judge runs the suite against a server, over streams that m opens.
func judge(ctx context.Context, o *options, addr string, client *tls.Config, m conn.Multiplexer, agent string) error {
	u := &url.URL{Scheme: "https", Host: addr, Path: "/"}
	open := func(ctx context.Context, header http.Header) (net.Conn, *http.Response, error) {
		cfg := client.Clone()
		cfg.ServerName = u.Hostname()
		return m.OpenStream(ctx, &conn.StreamRequest{
			URL: u, Host: addr, Header: header, TLS: cfg, MaxHeaderBytes: 64 << 10,
			Dial: func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) },
		})
	}
	rep, err := suite.Run(ctx, suite.Options{URL: "wss://" + addr, OpenStream: open, Agent: agent, Cases: o.cases})
	if err != nil {
		return err
	}
	return conclude(o, rep)
}

// conclude prints a report, and returns an error if a case has not passed.
func conclude(o *options, rep *suite.Report) error {
	if err := rep.WriteTable(o.stdout); err != nil {
		return err
	}
	if problems := rep.Problems(nil); len(problems) > 0 {
		return fmt.Errorf("%d cases: %v", len(problems), problems)
	}
	o.passed++
	fmt.Fprintf(o.stdout, "ok      %s: %d cases of the suite\n", rep.Agent, len(rep.Results))
	return nil
}

// suiteAgainstClient2 runs the suite as a server, which a client of this library comes to over HTTP/2.
func suiteAgainstClient2(ctx context.Context, o *options) error {
	cases, err := suite.SelectFor(suite.ClientRole, o.cases)
	if err != nil {
		return err
	}
	var ids []string
	for _, c := range suite.ForStreams(suite.ClientRole, cases) {
		ids = append(ids, c.ID)
	}
	fuzzer, err := suite.NewServer(suite.ServerOptions{Cases: ids})
	if err != nil {
		return err
	}
	addr, client, stop, err := serve2(fuzzer)
	if err != nil {
		return err
	}
	defer stop()
	pool := &http2.Pool{Require: true}
	defer pool.Close()
	dial := &conn.DialOptions{TLS: client, Multiplexer: pool, MessageLimit: messageLimit, Compression: compression}
	slots := make(chan struct{}, 64)
	var tasks sync.WaitGroup
	errs := make(chan error, len(ids))
	for i := range ids {
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			if err := echoCase(ctx, "wss://"+addr+"/runCase?agent=wss&case="+strconv.Itoa(i+1), dial); err != nil {
				errs <- fmt.Errorf("case %s: %w", ids[i], err)
			}
		})
	}
	tasks.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	if len(all) > 0 {
		return errors.Join(all...)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, errors.New("a case is not judged: it has not been run to its end"))
	defer cancel()
	for _, id := range ids { // the last ones may be being judged
		if _, err := fuzzer.Await(ctx, "wss", id); err != nil {
			return fmt.Errorf("case %s: %w", id, cmp.Or(context.Cause(ctx), err))
		}
	}
	return conclude(o, fuzzer.Reports()[0])
}

// echoCase echoes through one case. How its connection ends is for the suite to judge.
func echoCase(ctx context.Context, url string, o *conn.DialOptions) error {
	c, _, err := conn.Dial(ctx, url, o)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for m, err := range c.Messages(ctx) {
		if err == nil {
			err = c.Write(ctx, m.Type, m.Data)
		}
		if err != nil {
			return ctx.Err()
		}
	}
	return nil
}
