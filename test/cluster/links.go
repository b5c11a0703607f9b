package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/test/ports"
)

// links are the ways between nodes: each node dials each other one through a proxy of its own, so that the way can be cut.
type links struct {
	nodes []string         // where they listen
	ways  map[[2]int]*link // from, to
}

func newLinks(nodes []string) (*links, error) {
	l := &links{nodes: nodes, ways: map[[2]int]*link{}}
	for from := range nodes {
		for to := range nodes {
			if from == to {
				continue
			}
			way, err := newLink(nodes[to])
			if err != nil {
				l.close()
				return nil, err
			}
			l.ways[[2]int{from, to}] = way
		}
	}
	return l, nil
}

// routes are the addresses at which a node reaches the others.
func (l *links) routes(from int) (all []string) {
	for to := range l.nodes {
		if to != from {
			all = append(all, l.ways[[2]int{from, to}].ln.Addr().String())
		}
	}
	return all
}

// isolate cuts a node off from all others, or heals that. What is cut without a word carries nothing, and says nothing.
func (l *links) isolate(node int, how state) {
	for way, link := range l.ways {
		if way[0] == node || way[1] == node {
			link.set(how)
		}
	}
}

func (l *links) close() {
	for _, way := range l.ways {
		way.set(cut)
		_ = way.ln.Close()
	}
}

type state int

const (
	whole  state = iota
	cut          // connections are closed, and new ones too
	silent       // nothing comes through, and nobody is told
)

// link is a proxy for one way.
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

// add notes a connection, to be closed by a cut. It reports whether there is none now.
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
	for _, way := range [2][2]net.Conn{{c, there}, {there, c}} {
		go func() {
			_, _ = io.Copy(way[1], reader{l, way[0]})
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

// reader passes on what is read when the link is not silent.
type reader struct {
	link *link
	c    net.Conn
}

func (r reader) Read(p []byte) (int, error) {
	n, err := r.c.Read(p)
	r.link.await()
	return n, err
}
