// Package ports has ports for the servers of tests.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"syscall"
)

// Below those that the kernel gives to clients: a dial to one of these that nobody listens at could connect to itself.
const first, count = 20000, 12000

// tried counts the ports that were tried, from a random one on: each is tried once, so that two servers that start at the
// same time never get the same.
var (
	begin = rand.Int64N(count)
	tried atomic.Int64
)

// Listen returns a listener of 127.0.0.1.
func Listen() (net.Listener, error) {
	var err error
	for range 100 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+(begin+tried.Add(1))%count)); err == nil {
			return ln, nil
		}
	}
	return nil, err
}

// Free returns a port of 127.0.0.1 that nobody listens at.
func Free() (int, error) {
	// A process that is forked meanwhile would have the listener, and the port, until it executes its program.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	ln, err := Listen()
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}
