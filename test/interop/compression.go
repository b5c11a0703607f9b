package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// compressionTime bounds all connections with one peer in one direction.
const compressionTime = 5 * time.Minute

// abreast is how many connections are used at once.
const abreast = 4

// compressionBench is what the checks of permessage-deflate (RFC 7692) share.
type compressionBench struct {
	*bench
	dir  string // of the scripts and of what the messages are cut from
	data corpus
	sets []messageSet
	ca   *tlsconf.DevCA
	cert string // file of the servers' certificate and key
}

// plan is what a peer is to do, as its script or the page reads it. What the
// messages are cut from lies beside it, in a file for each kind.
type plan struct {
	Abreast int          `json:"abreast"`
	Kinds   []string     `json:"kinds"`
	Sets    []messageSet `json:"sets"`
	Links   []*link      `json:"links"`
}

// library is a peer that is driven by scripts.
type library struct {
	name           string
	client, server process.Command // without their arguments
	// not8 says that it does not compress with windows of 8 bits, so that it may
	// say so in place of an echo.
	not8 bool
}

// runCompression goes through the settings of compression with all peers.
func runCompression(ctx context.Context, b *bench) error {
	z, err := newCompressionBench(b)
	if err != nil {
		return err
	}
	for _, peer := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"python", z.python},
		{"node", z.node},
		{"browser", z.browser},
	} {
		if err := peer.run(ctx); err != nil {
			b.report.add("compression, "+peer.name, err)
		}
	}
	return nil
}

func newCompressionBench(b *bench) (*compressionBench, error) {
	z := &compressionBench{bench: b, dir: filepath.Join(b.work, "compression"), data: newCorpus()}
	z.sets = z.data.sets()
	caDir := filepath.Join(z.dir, "ca")
	if err := os.MkdirAll(caDir, 0o700); err != nil {
		return nil, err
	}
	for kind, data := range z.data {
		if err := os.WriteFile(filepath.Join(z.dir, kind), data, 0o644); err != nil {
			return nil, err
		}
	}
	var err error
	if z.ca, err = tlsconf.Development(tlsconf.DevOptions{Dir: caDir}); err != nil {
		return nil, err
	}
	z.cert = filepath.Join(caDir, "localhost.pem")
	_, err = z.ca.Certificate()
	return z, err
}

func (z *compressionBench) python(ctx context.Context) error {
	python, err := installPython(ctx, z.bench)
	if err != nil {
		return err
	}
	lib, err := z.library("python", python, "python_compression_client.py", "python_compression_server.py")
	if err != nil {
		return err
	}
	lib.not8 = true // zlib has no raw window of 8 bits, and websockets says so
	return z.bothWays(ctx, lib)
}

func (z *compressionBench) node(ctx context.Context) error {
	node, modules, err := installNode(ctx, z.bench)
	if err != nil {
		return err
	}
	if err := os.Symlink(modules, filepath.Join(z.dir, "node_modules")); err != nil {
		return err
	}
	if _, err := writeScript(z.dir, sharedScript); err != nil {
		return err
	}
	lib, err := z.library("node", node, "node_compression_client.mjs", "node_compression_server.js")
	if err != nil {
		return err
	}
	return z.bothWays(ctx, lib)
}

func (z *compressionBench) library(name, interpreter, client, server string) (*library, error) {
	clientScript, err := writeScript(z.dir, client)
	if err != nil {
		return nil, err
	}
	serverScript, err := writeScript(z.dir, server)
	return &library{
		name:   name,
		client: process.Command{Args: []string{interpreter, clientScript}, Env: pythonEnv()},
		server: process.Command{Args: []string{interpreter, serverScript}, Env: pythonEnv()},
	}, err
}

func (z *compressionBench) bothWays(ctx context.Context, lib *library) error {
	return errors.Join(z.foreignClient(ctx, lib, clientLinks()), z.foreignServer(ctx, lib, serverLinks()))
}

// writePlan writes the plan for a peer, and returns its path.
func (z *compressionBench) writePlan(name string, links []*link) (string, error) {
	text, err := json.Marshal(z.plan(links))
	if err != nil {
		return "", err
	}
	path := filepath.Join(z.dir, name+".json")
	return path, os.WriteFile(path, text, 0o644)
}

func (z *compressionBench) plan(links []*link) plan {
	return plan{Abreast: abreast, Kinds: kinds, Sets: z.sets, Links: links}
}

// foreignClient runs another implementation's client against our server.
func (z *compressionBench) foreignClient(ctx context.Context, lib *library, links []*link) error {
	ctx, cancel := context.WithTimeoutCause(ctx, compressionTime, fmt.Errorf("not done after %v", compressionTime))
	defer cancel()
	path, err := z.writePlan(lib.name+"-client", links)
	if err != nil {
		return err
	}
	s, err := startEchoes(z.ca, links)
	if err != nil {
		return err
	}
	defer s.close()
	cmd := lib.client
	cmd.Args = append(cmd.Args[:len(cmd.Args):len(cmd.Args)], s.url, z.ca.CAFile(), path)
	began := time.Now()
	p, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return fmt.Errorf("the %s client: %w", lib.name, err)
	}
	t := &tally{name: "compression, " + lib.name + " client", began: began}
	theirs := outcomes(p.out.All())
	for _, l := range links {
		z.judge(ctx, t, s, l, theirs[l.ID], lib.not8)
	}
	t.report(z.report)
	return nil
}

// judge compares what a client and our server say of a connection with what was to
// be agreed on.
func (z *compressionBench) judge(ctx context.Context, t *tally, s *echoes, l *link, theirs *linkOutcome, not8 bool) {
	if theirs != nil && theirs.Cannot != "" && not8 && l.clientHas8() {
		t.skip(theirs.Cannot)
		return
	}
	messages := z.sets[l.Set].count()
	err := theirs.agrees(l.want, messages)
	if err == nil {
		err = s.saw(ctx, l, messages)
	}
	t.add(l, messages, err)
}

// linkOutcome is the line that a peer prints about a connection.
type linkOutcome struct {
	Connection *int
	Extensions string // the header field of the response
	Messages   int    // that came back, or that were sent back
	Cannot     string // why the library does not do what the link asks
	Error      string
}

// outcomes returns the lines about connections, by their id.
func outcomes(lines []string) map[int]*linkOutcome {
	all := make(map[int]*linkOutcome)
	for _, line := range lines {
		o := new(linkOutcome)
		if json.Unmarshal([]byte(line), o) == nil && o.Connection != nil {
			all[*o.Connection] = o
		}
	}
	return all
}

// agrees checks what a peer saw.
func (o *linkOutcome) agrees(want agreement, messages int) error {
	switch {
	case o == nil:
		return errors.New("the peer says nothing of it")
	case o.Error != "" || o.Cannot != "":
		return fmt.Errorf("the peer says %s%s", o.Error, o.Cannot)
	case o.Messages != messages:
		return fmt.Errorf("the peer has seen %d messages, want %d", o.Messages, messages)
	}
	return want.matches(o.Extensions)
}
