// Package process runs other programs in process groups of their own, so that all that they started can be ended with them.
// The commands that try this library with foreign programs use it.
package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Grace is how long a process may take to end after it is asked to, and then its children to let go of its output,
// before they are killed. Tests shorten it, before they start anything.
var Grace = 15 * time.Second

// Command is a command line with its surroundings.
type Command struct {
	Args []string // with the program's name
	Dir  string   // empty: this program's own
	Env  []string // nil: this program's own
	// Undo is a command line to run when the process has ended, whatever the reason; nil for none. A container needs it,
	// as it outlives the client that started it.
	Undo []string
}

// Process is a command that runs in a process group of its own, so that the whole group can be ended. A ctrl-C at the
// terminal does not reach it; the context does.
type Process struct {
	name   string
	cmd    *exec.Cmd
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of Wait; valid when done is closed
}

// Start runs a command until it ends or ctx does. The writers must be safe to use at once, unless they are the same one.
func Start(ctx context.Context, c Command, stdout, stderr io.Writer) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ownGroup(cmd)
	cmd.Cancel = func() error { return terminateGroup(cmd) }
	cmd.WaitDelay = Grace
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	p := &Process{name: c.Args[0], cmd: cmd, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		killGroup(cmd)
		cancel()
		if c.Undo != nil {
			undoCtx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			_ = exec.CommandContext(undoCtx, c.Undo[0], c.Undo[1:]...).Run() // most often there is nothing left to undo
		}
	}()
	return p, nil
}

// Name is the program's, as it was started.
func (p *Process) Name() string { return p.name }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the process, and returns an error unless its status is zero.
func (p *Process) Wait() error {
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}

// Stop asks the process and all its group to end, returns when they are gone, and says with which status the process
// ended: negative if by a signal.
func (p *Process) Stop() int {
	p.cancel()
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends a signal to the process and all its group.
func (p *Process) Signal(s syscall.Signal) error { return signalGroup(p.cmd, s) }

// Ended says, without waiting, whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Run starts a command and waits for it. Its error holds the end of the output.
func Run(ctx context.Context, c Command, log io.Writer) (output string, err error) {
	var buf bytes.Buffer
	both := io.MultiWriter(&buf, log)
	p, err := Start(ctx, c, both, both)
	if err != nil {
		return "", err
	}
	if err := p.Wait(); err != nil {
		const most = 2000
		tail := buf.Bytes()
		if len(tail) > most {
			tail = tail[len(tail)-most:]
		}
		return buf.String(), fmt.Errorf("%q: %w\n%s", c.Args, err, tail)
	}
	return buf.String(), nil
}
