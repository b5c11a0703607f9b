package child

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is the parent's side of a child.
type Process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
	Addr string // where a server listens
	PID  int
}

// Start runs this program again as a child: with -client where setup has an address,
// else with -server.
func Start(setup Setup) (*Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	role := "-server"
	if setup.Addr != "" {
		role = "-client"
	}
	cmd := exec.Command(exe, role, setup.Lib)
	cmd.Env = append(os.Environ(), Env+"="+role)
	cmd.Stderr = complaints{os.Stderr}
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
	p := &Process{
		cmd: cmd, in: in, enc: json.NewEncoder(in), dec: json.NewDecoder(bufio.NewReader(out)), PID: cmd.Process.Pid,
	}
	reply, err := p.exchange(setup)
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("starting %s: %w", setup.Lib, err)
	}
	p.Addr = reply.Addr
	return p, nil
}

// complaints passes on what a child complains of, but for what is as it shall be.
type complaints struct{ to io.Writer }

func (c complaints) Write(p []byte) (int, error) {
	if _, err := c.to.Write(bytes.ReplaceAll(p, []byte(rateSet), nil)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Env is set in children, so that a test binary can tell that it is one.
const Env = "WSS_BENCH_CHILD"

// Do sends a request and waits for the reply.
func (p *Process) Do(req Request) (Reply, error) {
	reply, err := p.exchange(req)
	if err != nil {
		return reply, fmt.Errorf("%s: %w", req.Op, err)
	}
	return reply, nil
}

func (p *Process) exchange(v any) (Reply, error) {
	var reply Reply
	if err := p.enc.Encode(v); err != nil {
		return reply, err
	}
	if err := p.dec.Decode(&reply); err != nil {
		return reply, err
	}
	if reply.Error != "" {
		return reply, errors.New(reply.Error)
	}
	return reply, nil
}

// Close ends the child by closing its input, and waits for it.
func (p *Process) Close() error {
	_ = p.in.Close()
	stop := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer stop.Stop()
	return p.cmd.Wait()
}
