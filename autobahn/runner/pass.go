package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
)

// pass is a run of the testee in one role over one scheme.
type pass struct {
	role, scheme string
	dir          string
	cases        []string
	shards       [][]string

	begun atomic.Int64 // cases that wstest has started
}

func newPass(o *options, role, scheme string) *pass {
	return &pass{
		role: role, scheme: scheme, cases: o.cases,
		dir:    filepath.Join(o.out, role+"-"+scheme),
		shards: split(o.cases, o.parallel),
	}
}

func (p *pass) String() string { return p.role + " over " + p.scheme }

func (p *pass) shardDir(i int) string { return filepath.Join(p.dir, fmt.Sprintf("shard-%d", i+1)) }

// reportDirs are the reports of the last run that are there, however many shards it had.
func (p *pass) reportDirs() []string {
	dirs, _ := filepath.Glob(filepath.Join(p.dir, "shard-*", reportDir)) // the pattern is well-formed
	if dirs == nil {
		return []string{filepath.Join(p.shardDir(0), reportDir)} // for an error that names it
	}
	return dirs
}

// runner has what all passes share.
type runner struct {
	o      *options
	suite  suite
	testee string // path of the executable
	tmp    string
	log    io.Writer
}

func newRunner(ctx context.Context, o *options, log io.Writer) (_ *runner, err error) {
	r := &runner{o: o, log: &process.Shared{W: log}}
	if r.tmp, err = os.MkdirTemp("", "wss-autobahn-"); err != nil {
		return nil, err
	}
	if r.testee, err = buildTestee(ctx, o, r.tmp); err == nil {
		r.suite, err = findSuite(ctx, o, r.log)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	fmt.Fprintf(r.log, "wstest from %v\n", r.suite)
	return r, nil
}

func (r *runner) close() { os.RemoveAll(r.tmp) }

// run replaces the reports of the pass. Its error says what went wrong beside the cases, whose outcome is in the reports.
func (r *runner) run(ctx context.Context, p *pass) error {
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.timeout, fmt.Errorf("timed out after %v", r.o.timeout))
	defer cancel()
	for i := range p.shards {
		if err := os.MkdirAll(p.shardDir(i), 0o755); err != nil {
			return err
		}
	}
	if p.role == roleClient {
		return r.eachShard(p, func(i int) error { return r.clientShard(ctx, p, i) })
	}
	return r.runServer(ctx, p)
}

// runServer has one testee for all shards.
func (r *runner) runServer(ctx context.Context, p *pass) error {
	log, err := os.Create(filepath.Join(p.dir, "testee.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	server, url, err := r.startServer(ctx, p.scheme, log)
	if err != nil {
		return err
	}
	defer server.Stop()
	if !strings.HasPrefix(url, p.scheme+"://") {
		return fmt.Errorf("the testee listens at %s: want %s", url, p.scheme)
	}
	err = r.eachShard(p, func(i int) error { return r.serverShard(ctx, p, i, url) })
	if server.Ended() && ctx.Err() == nil {
		err = errors.Join(err, fmt.Errorf("the testee ended in the middle (%v): see %s", server.Wait(), log.Name()))
	}
	return err
}

// eachShard runs all shards at once, and waits for all.
func (r *runner) eachShard(p *pass, run func(i int) error) error {
	errs := make([]error, len(p.shards))
	var wg sync.WaitGroup
	for i := range p.shards {
		wg.Go(func() {
			if err := run(i); err != nil {
				errs[i] = fmt.Errorf("shard %d: %w: see the logs in %s", i+1, err, p.shardDir(i))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// serverShard lets wstest dial the testee.
func (r *runner) serverShard(ctx context.Context, p *pass, i int, url string) error {
	dir := p.shardDir(i)
	if err := clientSpec(p.shards[i], url).write(dir); err != nil {
		return err
	}
	wstest, log, err := r.startWstest(ctx, p, dir, "fuzzingclient")
	if err != nil {
		return err
	}
	defer log.Close()
	return ended(ctx, wstest.Wait())
}

// clientShard lets wstest listen, and the testee dial it.
func (r *runner) clientShard(ctx context.Context, p *pass, i int) error {
	dir := p.shardDir(i)
	port, err := ports.Free() // should something else take it before wstest does, wstest ends at once, which waitForPort reports
	if err != nil {
		return err
	}
	s := serverSpec(p.shards[i], p.scheme, port)
	err = s.write(dir)
	if err == nil && s.Cert != "" {
		err = writeCertificate(dir)
	}
	if err != nil {
		return err
	}
	wstest, wstestLog, err := r.startWstest(ctx, p, dir, "fuzzingserver", "--webport", "0")
	if err != nil {
		return err
	}
	defer wstestLog.Close()
	defer wstest.Stop()
	if err := waitForPort(ctx, port, wstest); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "testee.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	testee, err := process.Start(ctx, r.clientCommand(s.URL, s.Cert != ""), log, log)
	if err != nil {
		return err
	}
	return ended(ctx, testee.Wait())
}

// ended prefers the reason why a process was ended to how it ended.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// startWstest starts wstest on the spec in a shard's directory, with its output in a log there.
func (r *runner) startWstest(ctx context.Context, p *pass, dir, mode string, args ...string) (*process.Process, *os.File, error) {
	log, err := os.Create(filepath.Join(dir, "wstest.log"))
	if err != nil {
		return nil, nil, err
	}
	output := &process.Lines{Next: log, Line: func(line string) { r.progress(p, line) }}
	args = append([]string{"--mode", mode, "--spec", specFile}, args...)
	wstest, err := process.Start(ctx, r.suite.wstest(dir, args...), output, output)
	if err != nil {
		log.Close()
		return nil, nil, err
	}
	return wstest, log, nil
}

// progress reports each tenth of a pass.
func (r *runner) progress(p *pass, line string) {
	if !strings.HasPrefix(line, "Running test case ID ") {
		return
	}
	n, all := p.begun.Add(1), int64(len(p.cases))
	if n*10/all != (n-1)*10/all {
		fmt.Fprintf(r.log, "%s: %d of %d cases begun\n", p, n, all)
	}
}
