package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// freePort returns a port that nothing listens on now. Something else may take it before wstest does; wstest then ends at
// once, which waitForPort reports.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// waitForPort returns when a process listens: it says nothing when it does, so it is tried.
func waitForPort(ctx context.Context, port int, p *process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("%s does not listen after %v", p.name, startTime))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for {
		if nc, err := new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
			return nc.Close()
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("%s ended before it listened: %v", p.name, p.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// syncWriter is for writers that several goroutines share.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
