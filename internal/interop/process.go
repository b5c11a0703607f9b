package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// grace is how long a process may take to end after it is asked to, before it is
// killed. The tests shorten it.
var grace = 5 * time.Second

// command is a command line with its surroundings.
type command struct {
	args []string // with the program's name
	dir  string   // empty: this program's own
	env  []string // nil: this program's own
}

// process is a command in a process group of its own, so that all that it started
// can be ended with it. A ctrl-C at the terminal does not reach it; the context does.
type process struct {
	name   string
	out    *journal // standard output and standard error
	cmd    *exec.Cmd
	cancel context.CancelFunc
	err    error // of Wait; valid when out has ended
}

// start runs a command until it ends or ctx does.
func start(ctx context.Context, c command) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	p := &process{name: c.args[0], out: newJournal(), cmd: cmd, cancel: cancel}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	ownGroup(cmd)
	cmd.Cancel = func() error { return terminateGroup(cmd) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		killGroup(cmd)
		cancel()
		close(p.out.ended)
	}()
	return p, nil
}

// wait waits for the end of the process, and returns an error, with the end of its
// output, unless its status is zero.
func (p *process) wait() error {
	<-p.out.ended
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, p.err, p.out.tail())
	}
	return nil
}

// stop asks the process and all its group to end, returns when they have, and says
// with which status the process did: negative if by a signal.
func (p *process) stop() int {
	p.cancel()
	<-p.out.ended
	return p.cmd.ProcessState.ExitCode()
}

// await waits for a line of the process's output, from its beginning on, and returns
// the pattern's submatches in it.
func (p *process) await(ctx context.Context, pattern string) ([]string, error) {
	match, err := p.out.await(ctx, regexp.MustCompile(pattern))
	if err != nil {
		return nil, fmt.Errorf("%s: no line like %q: %w\n%s", p.name, pattern, err, p.out.tail())
	}
	return match, nil
}

// runCommand runs a command to its end and returns what it printed.
func runCommand(ctx context.Context, c command) (string, error) {
	p, err := start(ctx, c)
	if err != nil {
		return "", err
	}
	err = p.wait()
	return strings.Join(p.out.all(), "\n"), err
}

// journal keeps the lines of a process, to be waited for.
type journal struct {
	ended chan struct{}

	mu      sync.Mutex
	lines   []string
	rest    string        // of a line that has not ended
	changed chan struct{} // closed, and made anew, with every write
}

func newJournal() *journal {
	return &journal{ended: make(chan struct{}), changed: make(chan struct{})}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.Split(j.rest+string(p), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		j.lines = append(j.lines, strings.TrimSuffix(line, "\r"))
	}
	j.rest = lines[last]
	close(j.changed)
	j.changed = make(chan struct{})
	return len(p), nil
}

// all returns the lines so far, the last one unfinished perhaps.
func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines[:len(j.lines):len(j.lines)]
	if j.rest != "" {
		lines = append(lines, j.rest)
	}
	return lines
}

// tail returns the end of the output, for an error.
func (j *journal) tail() string {
	const most = 20
	lines := j.all()
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

func (j *journal) await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for seen, over := 0, false; ; {
		j.mu.Lock()
		lines, changed := j.lines, j.changed
		j.mu.Unlock()
		for ; seen < len(lines); seen++ {
			if match := pattern.FindStringSubmatch(lines[seen]); match != nil {
				return match, nil
			}
		}
		if over {
			return nil, errors.New("the process has ended")
		}
		select {
		case <-changed:
		case <-j.ended:
			over = true // its last lines may have come meanwhile
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
