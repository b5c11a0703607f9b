package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// Ports of servers: below those that the kernel gives to clients, or a dial to one that nobody listens at could meet itself.
const firstPort, ports = 20000, 12000

// tried counts the ports that were tried, from a random one on: each is tried once, so that two proxies that start at the same time
// never get the same.
var (
	begin = rand.Int64N(ports)
	tried atomic.Int64
)

// listen returns a listener of 127.0.0.1.
func listen() (net.Listener, error) {
	var err error
	for range 100 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+(begin+tried.Add(1))%ports)); err == nil {
			return ln, nil
		}
	}
	return nil, err
}

// freePort returns a port of 127.0.0.1 that nobody listens at.
func freePort() (int, error) {
	ln, err := listen()
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}
