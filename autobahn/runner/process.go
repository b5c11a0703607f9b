package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// grace is how long a process may take to end after it is asked to, and then its children to let go of its output,
// before they are killed. The tests shorten it.
var grace = 5 * time.Second

// command is a command line with its surroundings.
type command struct {
	args []string // with the program's name
	dir  string   // empty: this program's own
	env  []string // nil: this program's own
	// undo is a command line to run when the process has ended, whatever the reason; nil for none. A container needs it,
	// as it outlives the client that started it.
	undo []string
}

// process is a command that runs in a process group of its own, so that the whole group can be ended. A ctrl-C at the
// terminal does not reach it; the context does.
type process struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of Wait; valid when done is closed
}

// start runs a command until it ends or ctx does. The writers must be safe to use at once, unless they are the same one.
func start(ctx context.Context, c command, stdout, stderr io.Writer) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ownGroup(cmd)
	cmd.Cancel = func() error { return terminateGroup(cmd) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	p := &process{name: c.args[0], cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		killGroup(cmd)
		cancel()
		if c.undo != nil {
			undoCtx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			exec.CommandContext(undoCtx, c.undo[0], c.undo[1:]...).Run() // most often there is nothing left to undo
		}
	}()
	return p, nil
}

// wait waits for the end of the process, and returns an error unless its status is zero.
func (p *process) wait() error {
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}

// stop ends the process and all its group, and returns when they are gone.
func (p *process) stop() {
	p.cancel()
	<-p.done
}

// ended says, without waiting, whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// runCommand starts a command and waits for it. Its error holds the end of the output.
func runCommand(ctx context.Context, c command, log io.Writer) (output string, err error) {
	var buf bytes.Buffer
	both := io.MultiWriter(&buf, log)
	p, err := start(ctx, c, both, both)
	if err != nil {
		return "", err
	}
	if err := p.wait(); err != nil {
		const most = 2000
		tail := buf.Bytes()
		if len(tail) > most {
			tail = tail[len(tail)-most:]
		}
		return buf.String(), fmt.Errorf("%q: %w\n%s", c.args, err, tail)
	}
	return buf.String(), nil
}

// lineWriter calls a function with every whole line, without its end, and passes everything on.
type lineWriter struct {
	next io.Writer
	line func(string)

	mu   sync.Mutex
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.rest = append(w.rest, p...)
	var lines []string
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		lines = append(lines, string(bytes.TrimSuffix(line, []byte("\r"))))
		w.rest = rest
	}
	w.mu.Unlock()
	for _, line := range lines {
		w.line(line)
	}
	return w.next.Write(p)
}
