package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// running is a process whose output is kept, on standard output and standard error.
type running struct {
	*process.Process
	out *process.Journal
}

// start runs a command until it ends or ctx does.
func start(ctx context.Context, c process.Command) (*running, error) {
	out := process.NewJournal()
	p, err := process.Start(ctx, c, out, out)
	if err != nil {
		return nil, err
	}
	return &running{p, out}, nil
}

// wait waits for the end of the process, and returns an error, with the end of its
// output, unless its status is zero.
func (p *running) wait() error {
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, p.out.Tail())
	}
	return nil
}

// await waits for a line of the process's output, from its beginning on, and returns
// the pattern's submatches in it.
func (p *running) await(ctx context.Context, pattern string) ([]string, error) {
	match, err := p.out.Await(ctx, p.Done(), regexp.MustCompile(pattern))
	if err != nil {
		return nil, fmt.Errorf("%s: no line like %q: %w\n%s", p.Name(), pattern, err, p.out.Tail())
	}
	return match, nil
}

// runCommand runs a command to its end and returns what it printed.
func runCommand(ctx context.Context, c process.Command) (string, error) { return install.Run(ctx, c) }
