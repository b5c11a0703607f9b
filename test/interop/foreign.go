package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Limits of a foreign program: all of a client's checks, and a server's start.
const (
	foreignClientTime = 5 * time.Minute
	foreignStartTime  = time.Minute
)

// foreign is another implementation, as two programs.
type foreign struct {
	name           string
	client, server process.Command // without their arguments
}

func runPython(ctx context.Context, b *bench) error {
	python, err := installPython(ctx, b)
	if err != nil {
		return err
	}
	return b.runForeign(ctx, "python", python, "python_client.py", "python_server.py")
}

func runNode(ctx context.Context, b *bench) error {
	node, modules, err := installNode(ctx, b)
	if err != nil {
		return err
	}
	// Node looks for modules beside the script that imports them.
	if err := os.Symlink(modules, filepath.Join(b.work, "node_modules")); err != nil {
		return err
	}
	return b.runForeign(ctx, "node", node, "node_client.mjs", "node_server.js")
}

// runForeign runs the checks in both directions.
func (b *bench) runForeign(ctx context.Context, name, interpreter, client, server string) error {
	dir := filepath.Join(b.work, "ca-"+name)
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: dir})
	if err != nil {
		return err
	}
	if _, err := ca.Certificate(); err != nil {
		return err
	}
	clientScript, err := writeScript(b.work, client)
	if err != nil {
		return err
	}
	serverScript, err := writeScript(b.work, server)
	if err != nil {
		return err
	}
	f := &foreign{
		name:   name,
		client: process.Command{Args: []string{interpreter, clientScript}, Env: pythonEnv()},
		server: process.Command{Args: []string{interpreter, serverScript}, Env: pythonEnv()},
	}
	return errors.Join(b.foreignClient(ctx, f, ca), b.foreignServer(ctx, f, ca, filepath.Join(dir, "localhost.pem")))
}

// outcome is a line that a foreign client prints.
type outcome struct {
	Check, Error string
	Done         bool
}

// serverSaw are the ends that our server must have seen, by the id that the foreign
// clients give them.
var serverSaw = []closing{
	{"closed-by-client", 4001, "grüße"},
	// Who answers a close frame repeats its code, and need not repeat its reason.
	{"closed-by-server", 4002, ""},
}

// foreignClient runs another implementation's client against our server.
func (b *bench) foreignClient(ctx context.Context, f *foreign, ca *tlsconf.DevCA) error {
	ctx, cancel := context.WithTimeout(ctx, foreignClientTime)
	defer cancel()
	s, err := startServer(ca)
	if err != nil {
		return err
	}
	defer s.close()
	cmd := f.client
	cmd.Args = append(cmd.Args[:len(cmd.Args):len(cmd.Args)], s.url, ca.CAFile())
	p, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	err = p.wait()
	done := false
	for _, line := range p.out.All() {
		var o outcome
		if json.Unmarshal([]byte(line), &o) != nil {
			continue // a warning of the interpreter's
		}
		done = done || o.Done
		if o.Check != "" {
			var failure error
			if o.Error != "" {
				failure = errors.New(o.Error)
			}
			b.report.add(f.name+" client: "+o.Check, failure)
		}
	}
	if err == nil && !done {
		err = errors.New("it ended before its last check")
	}
	if err != nil {
		return fmt.Errorf("the %s client: %w", f.name, err)
	}
	for _, want := range serverSaw {
		b.report.add(f.name+" client: "+want.id+", as our server saw it", s.sawClose(ctx, want.id, want.code, want.reason))
	}
	return nil
}

// foreignServer runs our client against another implementation's server.
func (b *bench) foreignServer(ctx context.Context, f *foreign, ca *tlsconf.DevCA, certFile string) error {
	ctx, cancel := context.WithTimeout(ctx, foreignClientTime)
	defer cancel()
	cmd := f.server
	cmd.Args = append(cmd.Args[:len(cmd.Args):len(cmd.Args)], certFile)
	p, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	defer p.Stop()
	startCtx, cancelStart := context.WithTimeout(ctx, foreignStartTime)
	defer cancelStart()
	port, err := p.await(startCtx, `"listening": ?(\d+)`)
	if err != nil {
		return err
	}
	t := &target{url: "wss://localhost:" + port[1], tls: clientConfig(ca), out: p.out, ended: p.Done()}
	for _, c := range clientChecks {
		b.report.add(f.name+" server: "+c.name, t.check(ctx, c.run))
	}
	return nil
}

// target is a foreign server that our client checks.
type target struct {
	url string
	tls *tls.Config
	out *process.Journal
	// ended is closed when the server has ended.
	ended <-chan struct{}
}

// clientConfig trusts an authority, and nothing older than TLS 1.3.
func clientConfig(ca *tlsconf.DevCA) *tls.Config {
	return tlsconf.ForWebSocket(&tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS13})
}

// check runs one check within its time.
func (t *target) check(ctx context.Context, run func(context.Context, *target) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("not done after %v", checkTime))
	defer cancel()
	return run(ctx, t)
}

// query returns the query of a URL for a connection whose end is noted.
func (c closing) query() string {
	return "?" + url.Values{"id": {c.id}, "code": {strconv.Itoa(int(c.code))}, "reason": {c.reason}}.Encode()
}
