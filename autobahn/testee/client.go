package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// tester talks to a fuzzing server.
type tester struct {
	url, agent string
	options    conn.DialOptions
}

func runClient(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	server := flags.String("url", "ws://127.0.0.1:9001", "`URL` of the fuzzing server")
	agent := flags.String("agent", "wss", "`name` under which results are reported")
	insecure := flags.Bool("insecure", false, "accept any certificate of the fuzzing server")
	compress := flags.Bool("compress", false, "offer permessage-deflate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{Profile: tlsconf.Intermediate})
	if err != nil {
		return err
	}
	if *insecure {
		cfg = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	t := &tester{url: *server, agent: *agent, options: conn.DialOptions{
		TLS: cfg, MessageLimit: messageLimit, Compression: compression(*compress, 0),
	}}
	n, err := t.cases(ctx)
	if err != nil {
		return fmt.Errorf("asking for the number of cases: %w", err)
	}
	for i := 1; i <= n; i++ {
		if err := t.run(ctx, i); err != nil {
			return fmt.Errorf("case %d of %d: %w", i, n, err)
		}
	}
	fmt.Fprintf(stdout, "ran %d cases\n", n)
	return t.report(ctx)
}

func (t *tester) dial(ctx context.Context, path string, query url.Values) (*conn.Conn, error) {
	c, _, err := conn.Dial(ctx, t.url+path+"?"+query.Encode(), &t.options)
	return c, err
}

// cases asks how many cases there are.
func (t *tester) cases(ctx context.Context) (int, error) {
	c, err := t.dial(ctx, "/getCaseCount", url.Values{"agent": {t.agent}})
	if err != nil {
		return 0, err
	}
	defer c.CloseNow()
	_, data, err := c.Read(ctx)
	if err != nil {
		return 0, err
	}
	_ = c.Close(conn.StatusNormalClosure, "")
	return strconv.Atoi(string(data))
}

// run echoes through one case. How its connection ends is for the server to judge.
func (t *tester) run(ctx context.Context, n int) error {
	c, err := t.dial(ctx, "/runCase", url.Values{"case": {strconv.Itoa(n)}, "agent": {t.agent}})
	if refused, ok := errors.AsType[*conn.HandshakeError](err); ok && refused.Response != nil {
		return nil // some cases are about responses that no client may accept
	}
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

// report has the server write its report.
func (t *tester) report(ctx context.Context) error {
	c, err := t.dial(ctx, "/updateReports", url.Values{"agent": {t.agent}})
	if err != nil {
		return fmt.Errorf("asking for the report: %w", err)
	}
	defer c.CloseNow()
	for _, err := range c.Messages(ctx) {
		if _, ended := errors.AsType[*conn.CloseError](err); err != nil && !ended {
			return err
		}
	}
	return nil
}
