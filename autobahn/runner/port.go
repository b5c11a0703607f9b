package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// Ports below those that systems hand out by themselves, where wstest's would be taken by the next connection of anybody.
const (
	firstPort = 10240
	lastPort  = 32767
)

// freePort returns a port that nothing listens on now. Should something else take it before wstest does, wstest ends at
// once, which waitForPort reports.
func freePort() (int, error) {
	var err error
	for range 100 {
		var ln net.Listener
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if ln, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, ln.Close()
		}
	}
	return 0, err
}

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
