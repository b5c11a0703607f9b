package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// listener is a process that is going to listen.
type listener interface {
	Name() string
	Done() <-chan struct{}
	Wait() error
}

// waitForPort returns when a process listens: it says nothing when it does, so it is tried.
func waitForPort(ctx context.Context, port int, p listener) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("%s does not listen after %v", p.Name(), startTime))
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
		case <-p.Done():
			return errors.Join(errors.New("it ended before it listened"), p.Wait())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
