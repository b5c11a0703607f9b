package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/test/process"
)

// bench has what all runs share: programs, which are built once, and where reports go.
type bench struct {
	root     string // of this repository
	tmp, out string
	parallel int
	log      io.Writer
	built    map[string]string // executables by directory and package
}

// agent is what testees are called in reports; the runner has it so.
const agent = "wss"

// build returns the path of a package's executable.
func (b *bench) build(ctx context.Context, dir, pkg string) (string, error) {
	key := dir + " " + pkg
	if path, ok := b.built[key]; ok {
		return path, nil
	}
	path := filepath.Join(b.tmp, strconv.Itoa(len(b.built)))
	line := []string{"go", "build", "-o", path, pkg}
	if _, err := process.Run(ctx, process.Command{Args: line, Dir: filepath.Join(b.root, dir)}, io.Discard); err != nil {
		return "", err
	}
	b.built[key] = path
	return path, nil
}

// original runs the Autobahn|Testsuite, by way of its runner, into a directory.
func (b *bench) original(ctx context.Context, t *testee, ids []string, dir string) (*report.Report, error) {
	runner, err := b.build(ctx, ".", "./autobahn/runner")
	if err != nil {
		return nil, err
	}
	program, err := b.build(ctx, t.dir, t.pkg)
	if err != nil {
		return nil, err
	}
	line := []string{
		runner, "-role", t.role, "-scheme", "ws", "-testee", program, "-flags", strings.Join(t.flags, " "),
		"-cases", strings.Join(ids, ","), "-out", dir, "-parallel", strconv.Itoa(b.parallel),
	}
	// Its status is 1 if a case fails, which is no failure here.
	_, failed := process.Run(ctx, process.Command{Args: line}, io.Discard)
	shards, err := filepath.Glob(filepath.Join(dir, "*", "shard-*", "report"))
	if err == nil && len(shards) == 0 {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return report.Read(agent, shards...)
}

var urlPattern = regexp.MustCompile(`\bwss?://\S+`)

// listening starts a program and returns the URL that it prints when it listens.
func listening(ctx context.Context, c process.Command) (*process.Process, string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("no URL in a minute"))
	defer cancel()
	out := process.NewJournal()
	p, err := process.Start(context.WithoutCancel(ctx), c, out, out)
	if err != nil {
		return nil, "", err
	}
	found, err := out.Await(ctx, p.Done(), urlPattern)
	if err != nil {
		p.Stop()
		return nil, "", fmt.Errorf("%s: %w\n%s", p.Name(), err, out.Tail())
	}
	return p, found[0], nil
}

// ours runs this repository's suite into a directory.
func (b *bench) ours(ctx context.Context, t *testee, ids []string, dir string) (*report.Report, error) {
	program, err := b.build(ctx, t.dir, t.pkg)
	if err != nil {
		return nil, err
	}
	suite, err := b.build(ctx, ".", "./autobahn/suite/cmd")
	if err != nil {
		return nil, err
	}
	suiteLine := []string{suite, "-quiet", "-cases", strings.Join(ids, ","), "-out", dir}
	testeeLine := append([]string{program, t.role}, t.flags...)
	if t.role == roleServer {
		err = b.oursDials(ctx, testeeLine, suiteLine)
	} else {
		err = b.oursListens(ctx, testeeLine, suiteLine)
	}
	if _, missing := os.Stat(filepath.Join(dir, "index.json")); missing != nil {
		return nil, errors.Join(err, missing)
	}
	return report.Read("", dir)
}

// oursDials has the suite be the client of the testee. That a case fails is no failure here.
func (b *bench) oursDials(ctx context.Context, testee, suite []string) error {
	server, url, err := listening(ctx, process.Command{Args: append(testee, "-listen", "127.0.0.1:0", "-compress")})
	if err != nil {
		return err
	}
	defer server.Stop()
	suite = append(suite, "-agent", agent, "-parallel", strconv.Itoa(4*b.parallel), "-url", url)
	_, err = process.Run(ctx, process.Command{Args: suite}, io.Discard)
	return err
}

// oursListens has the testee be the client of the suite, which writes its reports when the testee asks for it.
func (b *bench) oursListens(ctx context.Context, testee, suite []string) error {
	server, url, err := listening(ctx, process.Command{Args: append(suite, "-plain", "-listen", "127.0.0.1:0")})
	if err != nil {
		return err
	}
	defer server.Stop()
	testee = append(testee, "-url", url, "-agent", agent, "-compress")
	_, err = process.Run(ctx, process.Command{Args: testee}, io.Discard)
	return err
}

// compare runs both suites, and again what they do not agree in.
func (b *bench) compare(ctx context.Context, t *testee, ids []string, repeat int) (comparison, error) {
	c := comparison{}
	dir := filepath.Join(b.out, t.name+"-"+t.role)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	for run := range 1 + repeat {
		at := filepath.Join(dir, "run-"+strconv.Itoa(run+1))
		original, err := b.original(ctx, t, ids, filepath.Join(at, "original"))
		if err != nil {
			return nil, fmt.Errorf("the original: %w", err)
		}
		ours, err := b.ours(ctx, t, ids, filepath.Join(at, "ours"))
		if err != nil {
			return nil, fmt.Errorf("this suite: %w", err)
		}
		c.add(ids, original, ours)
		ids = slices.Concat(c.those(different), c.those(unsteady))
		fmt.Fprintf(b.log, "%v: run %d: %d of %d cases differ\n", t, run+1, len(ids), len(c))
		if len(ids) == 0 {
			break
		}
	}
	return c, nil
}
