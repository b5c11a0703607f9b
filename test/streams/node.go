package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// npmPackages are pinned, so that a failure is a change of ours. The Node.js has an own WebSocket that speaks HTTP/2.
var npmPackages = []string{"ws@8.23.0", "node@26.10.0"}

// startTime bounds the start of a peer.
const startTime = 30 * time.Second

// peerFile is the path of a program in peers.
func peerFile(name string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "peers", name)
}

// withNode has module http2 of Node.js, in the version that is installed and in that of npm, in both roles, and the WebSocket of the latter.
func withNode(ctx context.Context, o *options) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("there is no npm: install Node.js 20 or later (Debian: apt-get install nodejs npm)")
	}
	cache := install.Cache{Dir: install.DefaultDir("streams"), Log: o.log}
	dir, err := cache.Get("npm-"+strings.ReplaceAll(strings.Join(npmPackages, "-"), "@", "-"), func(dir string) error {
		args := append([]string{npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"}, npmPackages...)
		_, err := install.Run(ctx, process.Command{Args: args, Dir: dir})
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot install (is npm's registry in reach?): %w", err)
	}
	modules := filepath.Join(dir, "node_modules")
	for _, program := range []string{"node", filepath.Join(modules, ".bin", "node")} {
		version, err := install.Run(ctx, process.Command{Args: []string{program, "--version"}})
		if err != nil {
			return err
		}
		n := &node{name: "Node.js " + version, program: program, modules: modules}
		if err := n.all(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	return nil
}

// node is a version of Node.js.
type node struct {
	name, program, modules string
}

func (n *node) all(ctx context.Context, o *options) error {
	err := n.client(ctx, o, n.name+", http2 as client", "client.mjs", map[string]string{
		"settings": "sees the server's setting",
		"echo":     "gets text and binary of 0 bytes to 1 MiB back, with a subprotocol",
		"closes":   "closes with 4001 and a reason",
		"closed":   "is closed by us with 4002 and a reason",
		"reset":    "sees 1006 when our side breaks a stream off, and another WebSocket goes on",
		"resets":   "resets a stream",
		"refused":  "is refused with 403, and another WebSocket goes on",
		"many":     "has 100 at once on one connection",
	})
	if err == nil {
		err = n.server(ctx, o)
	}
	if err != nil || n.program == "node" {
		return err
	}
	return n.client(ctx, o, n.name+", WebSocket", "standard.mjs", map[string]string{
		"shares":  "comes by HTTP/2, on the connection of fetch",
		"echo":    "gets text and binary of 0 bytes to 1 MiB back, with a subprotocol",
		"closes":  "closes with 4001 and a reason",
		"closed":  "is closed by us with 4002 and a reason",
		"refused": "sees an error for a refusal, and another WebSocket goes on",
	})
}

func (n *node) command(b *backend, args ...string) process.Command {
	return process.Command{Args: append([]string{n.program}, args...), Env: append(os.Environ(), "MODULES="+n.modules, "NODE_EXTRA_CA_CERTS="+b.ca.CAFile())}
}

// result is what a program of peers says of a check.
type result struct{ Check, Failed string }

// client runs a program that is a client of our server, and says how its checks went.
func (n *node) client(ctx context.Context, o *options, name, program string, checks map[string]string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*checkTime, errors.New("it has not ended"))
	defer cancel()
	b, err := startBackend(page)
	if err != nil {
		return err
	}
	defer b.close()
	out, err := install.Run(ctx, n.command(b, peerFile(program), b.addr, b.ca.CAFile()))
	if err != nil {
		return err
	}
	var results []result
	for line := range strings.Lines(out) {
		var r result
		if json.Unmarshal([]byte(line), &r) == nil && r.Check != "" {
			results = append(results, r)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(checks)) {
		o.check(ctx, name, checks[id], func(ctx context.Context) error {
			i := slices.IndexFunc(results, func(r result) bool { return r.Check == id })
			switch {
			case i < 0:
				return errors.New("it says nothing of it")
			case results[i].Failed != "":
				return errors.New(results[i].Failed)
			}
			return sawEnd(ctx, b, id)
		})
	}
	return nil
}

// sawEnd compares what our server saw of a client's check.
func sawEnd(ctx context.Context, b *backend, id string) error {
	want, known := map[string]end{"closes": {Code: 4001, Reason: "bye", Remote: true}, "resets": {Code: 1006}}[id]
	if !known {
		return nil
	}
	e, err := b.await(ctx, id)
	if err == nil && (e.Code != want.Code || e.Reason != want.Reason || e.Remote != want.Remote || e.HTTPVersion != "HTTP/2") {
		err = fmt.Errorf("the server saw %+v", e)
	}
	return err
}

// server has our client talk to a server of Node.js.
func (n *node) server(ctx context.Context, o *options) error {
	b, err := startBackend(page) // for its certificate
	if err != nil {
		return err
	}
	defer b.close()
	p, err := startPeer(ctx, n.command(b, peerFile("server.mjs"), b.certificate()))
	if err != nil {
		return err
	}
	defer p.process.Stop()
	s := &server{
		peer: n.name + ", http2 as server", addr: "localhost:" + p.port, many: 100, await: p.await,
		tls: &tls.Config{RootCAs: b.ca.Pool()},
	}
	s.talk(ctx, o)
	return nil
}

// peer is a running program that listens, and says what it sees, a line of JSON each.
type peer struct {
	process *process.Process
	out     *process.Journal
	port    string
}

var listening = regexp.MustCompile(`^\{"listening": ?(\d+)\}$`)

func startPeer(ctx context.Context, c process.Command) (*peer, error) {
	p := &peer{out: process.NewJournal()}
	var err error
	if p.process, err = process.Start(ctx, c, p.out, p.out); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it does not listen"))
	defer cancel()
	found, err := p.out.Await(ctx, p.process.Done(), listening)
	if err != nil {
		p.process.Stop()
		return nil, fmt.Errorf("%w\n%s", err, p.out.Tail())
	}
	p.port = found[1]
	return p, nil
}

// await waits for what it says of the end of the connection with this id.
func (p *peer) await(ctx context.Context, id string) (end, error) {
	found, err := p.out.Await(ctx, p.process.Done(), regexp.MustCompile(`^\{"id": ?"`+regexp.QuoteMeta(id)+`".*\}$`))
	if err != nil {
		return end{}, fmt.Errorf("it has said nothing of the end: %w\n%s", err, p.out.Tail())
	}
	var e end
	return e, json.Unmarshal([]byte(found[0]), &e)
}
