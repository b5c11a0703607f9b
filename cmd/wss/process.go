package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// process is the command of one connection.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	binary bool
	limit  int // bytes of a line
}

// processes counts the commands that run, so that the server can wait for them.
type processes struct {
	mu      sync.Mutex
	closed  bool
	live    map[*process]bool
	running sync.WaitGroup
}

// add notes a process that runs, and remove that it has ended.
func (p *processes) add(one *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live == nil {
		p.live = map[*process]bool{}
	}
	p.live[one] = true
}

func (p *processes) remove(one *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.live, one)
}

// kill ends all at once.
func (p *processes) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.live {
		killGroup(one.cmd)
	}
}

// begin counts one more. It reports false if the server ends.
func (p *processes) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.running.Add(1)
	}
	return !p.closed
}

// close waits until none runs. None begins any more.
func (p *processes) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.running.Wait()
}

// serveCommand runs the command until it or the connection ends, and ends the other.
func (s *server) serveCommand(c *conn.Conn, r *http.Request) {
	if !s.processes.begin() {
		_ = c.Close(conn.StatusGoingAway, "")
		return
	}
	defer s.processes.running.Done()
	p, err := s.start(c, r)
	if err != nil {
		s.console.note("%s: cannot run %q: %v", r.RemoteAddr, s.command, err)
		_ = c.Close(conn.StatusInternalError, "the command cannot be run")
		return
	}
	s.processes.add(p)
	defer s.processes.remove(p)
	received := make(chan struct{})
	go func() {
		defer close(received)
		p.feed(c)
	}()
	sent := make(chan error, 1)
	go func() { sent <- p.send(c) }()

	select {
	case err = <-sent: // the command has closed its output, or what it prints cannot be sent
	case <-c.Context().Done():
		err = context.Cause(c.Context())
	}
	_ = p.in.Close()
	var closed *conn.CloseError
	ended := errors.As(err, &closed)
	if err != nil && !ended { // the client need not wait for the command
		s.console.note("%s: %v", r.RemoteAddr, err)
		_ = c.Close(conn.StatusInternalError, err.Error())
		ended = true
	}
	status := p.end(s.options.grace)
	if !ended {
		code, reason := verdict(status)
		if code != conn.StatusNormalClosure {
			s.console.note("%s: %s", r.RemoteAddr, reason)
		}
		_ = c.Close(code, reason)
	}
	<-received
}

// verdict returns the code with which the connection is closed when the command has ended.
func verdict(status error) (conn.StatusCode, string) {
	if status != nil {
		return conn.StatusInternalError, "the command has failed: " + status.Error()
	}
	return conn.StatusNormalClosure, ""
}

// readPatience is how long a command may leave its input unread. Meanwhile the connection is not read, so its end is not noticed.
var readPatience = 20 * time.Second

// start starts the command, as the leader of a process group where there are such.
func (s *server) start(c *conn.Conn, r *http.Request) (*process, error) {
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Env = append(os.Environ(), environment(r, c.Subprotocol())...)
	cmd.Stderr = s.console.err
	cmd.WaitDelay = s.options.grace
	ownGroup(cmd)
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
	return &process{cmd: cmd, in: in, out: out, binary: s.options.binary, limit: int(s.options.maxMessage)}, nil
}

// feed gives messages to the command as lines, until the connection ends. What the command does not take any more is dropped.
func (p *process) feed(c *conn.Conn) {
	for m, err := range c.Messages(context.Background()) {
		switch {
		case err != nil:
			return
		case p.binary:
			m.Data = base64.StdEncoding.AppendEncode(nil, m.Data)
		case m.Type == conn.Binary:
			_ = c.Close(conn.StatusUnsupportedData, "only text is accepted")
			return
		}
		if pipe, ok := p.in.(interface{ SetWriteDeadline(time.Time) error }); ok {
			_ = pipe.SetWriteDeadline(time.Now().Add(readPatience)) // Windows has no deadlines for pipes
		}
		if _, err := p.in.Write(append(m.Data, '\n')); errors.Is(err, os.ErrDeadlineExceeded) {
			_ = c.Close(conn.StatusInternalError, "the command does not read what it is sent")
			return
		}
	}
}

// send sends the lines that the command prints, until it closes its output.
func (p *process) send(c *conn.Conn) error {
	lines := bufio.NewScanner(p.out)
	lines.Buffer(nil, p.limit+1)
	for lines.Scan() {
		line, typ := trimLineEnd(lines.Bytes()), conn.Text
		if p.binary {
			data, err := base64.StdEncoding.AppendDecode(nil, line)
			if err != nil {
				return errors.New("the command printed a line that is not base64")
			}
			line, typ = data, conn.Binary
		} else if !utf8.Valid(line) {
			return errors.New("the command printed a line that is not UTF-8")
		}
		if err := c.Write(c.Context(), typ, line); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("the command printed a line of more than %d bytes", p.limit)
	default:
		return err
	}
}

// end waits for the command to end, and ends what is left of its group: by SIGTERM after grace, and by SIGKILL after another. It
// returns how the command has ended.
func (p *process) end(grace time.Duration) error {
	waited := make(chan error, 1)
	go func() { waited <- p.cmd.Wait() }()
	for _, stop := range []func(*exec.Cmd){terminateGroup, killGroup} {
		select {
		case err := <-waited:
			killGroup(p.cmd) // children that the command has left behind
			return err
		case <-time.After(grace):
			stop(p.cmd)
		}
	}
	return <-waited
}
