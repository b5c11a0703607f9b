package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/test/ports"
)

// links are the links between nodes: each node dials each other node through a proxy of its own, which can cut the link.
type links struct {
	nodes []string         // the addresses that they listen at
	all   map[[2]int]*link // by the dialing and the listening node
}

func newLinks(nodes []string) (*links, error) {
	l := &links{nodes: nodes, all: map[[2]int]*link{}}
	for from := range nodes {
		for to := range nodes {
			if from == to {
				continue
			}
			link, err := newLink(nodes[to])
			if err != nil {
				l.close()
				return nil, err
			}
			l.all[[2]int{from, to}] = link
		}
	}
	return l, nil
}

// routes returns the addresses at which a node reaches the others.
func (l *links) routes(from int) (addresses []string) {
	for to := range l.nodes {
		if to != from {
			addresses = append(addresses, l.all[[2]int{from, to}].ln.Addr().String())
		}
	}
	return addresses
}

// isolate sets the state of all links of a node.
func (l *links) isolate(node int, how state) {
	for ends, link := range l.all {
		if ends[0] == node || ends[1] == node {
			link.set(how)
		}
	}
}

func (l *links) close() {
	for _, link := range l.all {
		link.set(cut)
		_ = link.ln.Close()
	}
}

// state is the state of a link.
type state int

const (
	whole  state = iota // passes everything on
	cut                 // closes all connections
	silent              // keeps connections, and passes nothing on
)

// link is a proxy between two nodes, for connections in one direction.
type link struct {
	ln     net.Listener
	target string

	mu      sync.Mutex
	state   state
	changed chan struct{}
	conns   map[net.Conn]bool
}

func newLink(target string) (*link, error) {
	ln, err := ports.Listen()
	if err != nil {
		return nil, fmt.Errorf("a proxy: %w", err)
	}
	l := &link{ln: ln, target: target, conns: map[net.Conn]bool{}, changed: make(chan struct{})}
	go l.accept()
	return l, nil
}

func (l *link) set(s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	close(l.changed)
	l.changed = make(chan struct{})
	if s == cut {
		for c := range l.conns {
			_ = c.Close()
		}
	}
}

func (l *link) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		go l.carry(c)
	}
}

// add notes a connection, which set closes when the link is cut. If it is cut already, add closes the connection and returns false.
func (l *link) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == cut {
		_ = c.Close()
		return false
	}
	l.conns[c] = true
	return true
}

func (l *link) remove(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

// carry passes on what a connection carries, until one side ends.
func (l *link) carry(c net.Conn) {
	if !l.add(c) {
		return
	}
	defer l.remove(c)
	l.await()
	there, err := net.DialTimeout("tcp", l.target, 5*time.Second)
	if err != nil || !l.add(there) {
		return
	}
	defer l.remove(there)
	done := make(chan struct{}, 2)
	for _, direction := range [2][2]net.Conn{{c, there}, {there, c}} {
		go func() {
			_, _ = io.Copy(direction[1], reader{l, direction[0]})
			done <- struct{}{}
		}()
	}
	<-done
}

// await waits while the link is silent.
func (l *link) await() {
	for {
		l.mu.Lock()
		s, changed := l.state, l.changed
		l.mu.Unlock()
		if s != silent {
			return
		}
		<-changed
	}
}

// reader reads from a connection, and returns what it has read when the link is not silent.
type reader struct {
	link *link
	c    net.Conn
}

func (r reader) Read(p []byte) (int, error) {
	n, err := r.c.Read(p)
	r.link.await()
	return n, err
}
