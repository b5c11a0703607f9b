package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/internal/process"
)

// bench has what all peers share.
type bench struct {
	root, cache string
	log         io.Writer
}

// outcome is what was found in a peer.
type outcome struct {
	peer     peer
	version  string
	skipped  string // why; empty: it was tried
	original score  // of the cases that the original has
	beyond   score
	findings []finding
}

// score is how many cases there were, and how many passed.
type score struct{ passed, all int }

// startTime is how long a server may take to listen: Java compiles first.
const startTime = time.Minute

var urlPattern = regexp.MustCompile(`\bwss?://\S+`)

// try installs a peer's server, starts it, and runs the cases against it.
func (b *bench) try(ctx context.Context, p peer, cases []string) outcome {
	out := outcome{peer: p}
	fmt.Fprintf(b.log, "%s: installing\n", p.title)
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		out.skipped = err.Error()
		return out
	}
	line, version, err := p.prepare(ctx, b)
	if err != nil {
		out.skipped = err.Error()
		return out
	}
	out.version = version
	results, crashes, err := b.results(ctx, line, cases)
	if err != nil {
		out.skipped = err.Error()
		return out
	}
	for _, r := range results {
		s := &out.original
		if suite.IsBeyond(r.ID) {
			s = &out.beyond
		}
		s.all++
		if r.Passes() && !slices.Contains(crashes, r.ID) {
			s.passed++
		}
	}
	out.findings = findings(results, crashes)
	fmt.Fprintf(b.log, "%s %s: %d findings\n", p.title, version, len(out.findings))
	return out
}

// server is a peer's program while it runs.
type server struct {
	process *process.Process
	journal *process.Journal
	url     string
}

// start starts a peer's server.
func start(ctx context.Context, line []string) (*server, error) {
	s := &server{journal: process.NewJournal()}
	var err error
	if s.process, err = process.Start(ctx, process.Command{Args: line}, s.journal, s.journal); err != nil {
		return nil, err
	}
	starting, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	url, err := s.journal.Await(starting, s.process.Done(), urlPattern)
	if err != nil {
		s.process.Stop()
		return nil, fmt.Errorf("the server does not start: %w: %s", err, lastLine(s.journal.Tail(), "it says nothing"))
	}
	s.url = url[0]
	return s, nil
}

// endWait is how long a program may take to end that is about to.
const endWait = 300 * time.Millisecond

// ended waits a little for the program's end.
func (s *server) ended() bool {
	timer := time.NewTimer(endWait)
	defer timer.Stop()
	select {
	case <-s.process.Done():
		return true
	case <-timer.C:
		return false
	}
}

// results runs cases against a server, and those that fail once more: the machine may have been busy. crashes are the ids of those
// that end the program.
func (b *bench) results(ctx context.Context, line, cases []string) (results []*suite.Result, crashes []string, err error) {
	s, err := start(ctx, line)
	if err != nil {
		return nil, nil, err
	}
	defer func() { s.process.Stop() }()
	o := suite.Options{URL: s.url, Cases: cases, Parallel: 16, Begin: func(p suite.Plan) {
		fmt.Fprintln(b.log, p)
	}}
	rep, err := suite.Run(ctx, o)
	if _, gone := errors.AsType[*suite.GoneError](err); gone {
		return b.oneByOne(ctx, s, line, cases)
	}
	if err != nil {
		return nil, nil, err
	}
	var failed []string
	for _, r := range rep.Results {
		if !r.Passes() {
			failed = append(failed, r.ID)
		}
	}
	if failed == nil {
		return rep.Results, nil, nil
	}
	if s.ended() {
		return b.oneByOne(ctx, s, line, cases)
	}
	o.Slowness, o.Latency, o.Cases = 2, 0, failed
	again, err := suite.Run(ctx, o)
	if _, gone := errors.AsType[*suite.GoneError](err); gone {
		return b.oneByOne(ctx, s, line, cases)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, second := range again.Results {
		i := slices.IndexFunc(rep.Results, func(first *suite.Result) bool { return first.ID == second.ID })
		rep.Results[i] = second
	}
	return rep.Results, nil, nil
}

// oneByOne runs cases of which one ends the program. What runs beside that one fails for it: each has a program that is there, and
// nobody beside it. s is left as the program that runs then.
func (b *bench) oneByOne(ctx context.Context, s *server, line, cases []string) (results []*suite.Result, crashes []string, err error) {
	selected, err := suite.SelectFor(suite.ServerRole, cases)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range selected {
		var rep *suite.Report
		for {
			if s.process.Ended() {
				next, err := start(ctx, line)
				if err != nil {
					return nil, nil, err
				}
				*s = *next
			}
			o := suite.Options{URL: s.url, Cases: []string{c.ID}, Parallel: 1, Slowness: 2, Latency: time.Millisecond}
			rep, err = suite.Run(ctx, o)
			if _, gone := errors.AsType[*suite.GoneError](err); err != nil && !gone || gone && !s.ended() {
				return nil, nil, err
			}
			if len(rep.Results) > 0 { // else the one before it has ended the program late
				break
			}
		}
		results = append(results, rep.Results[0])
		// Who answers a close frame has not ended by then.
		if s.process.Ended() || !rep.Results[0].WasClean && s.ended() {
			crashes = append(crashes, c.ID)
		}
	}
	return results, crashes, nil
}

// source is the path of a file of a peer's.
func (b *bench) source(elements ...string) string {
	return filepath.Join(append([]string{b.root, "test", "suiteresults", "peers"}, elements...)...)
}

// find returns what a pattern's group matches in a file of a peer's.
func (b *bench) find(pattern *regexp.Regexp, elements ...string) (string, error) {
	text, err := os.ReadFile(b.source(elements...))
	if err != nil {
		return "", err
	}
	found := pattern.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s has no version", filepath.Join(elements...))
	}
	return string(found[1]), nil
}

// once has a directory made unless it is there as a whole.
func (b *bench) once(dir string, make func() error) error {
	stamp := filepath.Join(dir, "complete")
	if _, err := os.Stat(stamp); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := make(); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

// tool runs a toolchain. Its error is short enough for a page.
func (b *bench) tool(ctx context.Context, dir, name string, args ...string) error {
	_, err := b.output(ctx, dir, name, args...)
	return err
}

// output runs a program, and returns what it prints.
func (b *bench) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stdout, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, &said), &said
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s is not installed", filepath.Base(name))
	case err != nil:
		return "", fmt.Errorf("%s failed: %s", filepath.Base(name), lastLine(said.String(), err.Error()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// lastLine is the last line that says something, or else the alternative.
func lastLine(text, alternative string) string {
	lines := strings.Split(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if l := strings.TrimSpace(lines[i]); l != "" {
			return l
		}
	}
	return alternative
}
