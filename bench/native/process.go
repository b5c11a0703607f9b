// Package native builds and starts servers that are not packages of this module, and asks the system what a process has used.
package native

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a server may take to start, or to end.
const patience = 10 * time.Second

// Process is a server that runs. It reads commands and answers them, a line each.
type Process struct {
	Addr string // where it listens
	PID  int

	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// Start starts a program, whose first line is the address that it listens at, and which ends with its standard input. env is
// added to the environment.
func Start(env []string, path string, args ...string) (*Process, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{PID: cmd.Process.Pid, name: filepath.Base(path), cmd: cmd, in: in, out: bufio.NewReader(out)}
	if p.Addr, err = p.line(patience); err != nil {
		p.Close()
		return nil, fmt.Errorf("%s did not say where it listens", p.name)
	}
	return p, nil
}

// Ask writes a command and returns the answer. A server that takes longer is ended.
func (p *Process) Ask(command string, limit time.Duration) (string, error) {
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	answer, err := p.line(limit)
	if err != nil {
		return "", fmt.Errorf("%s: no answer: %w", command, err)
	}
	return answer, nil
}

// line reads a line. If none comes in time, the process is ended, and with it its output.
func (p *Process) line(limit time.Duration) (string, error) {
	silent := time.AfterFunc(limit, func() { _ = p.cmd.Process.Kill() })
	defer silent.Stop()
	text, err := p.out.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err
}

// Close ends the process by closing its input, and waits for it.
func (p *Process) Close() {
	_ = p.in.Close()
	kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_ = p.cmd.Wait()
}
