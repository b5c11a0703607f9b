package conntest

import (
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

// Cut says what a cut of the network looks like. The zero value is Reset, and so is any value that is not listed.
type Cut uint8

const (
	// Reset ends both directions with syscall.ECONNRESET, as a host that has lost the connection does. What is on its way
	// to a reader is delivered before.
	Reset Cut = iota
	// End ends both directions with io.EOF, as a proxy that gives the connection up does. What is written later
	// vanishes.
	End
	// Silence delivers nothing that is written later, in both directions, and reports nothing: a cable was pulled. Writes
	// succeed until the buffer is full.
	Silence
)

// String returns "reset", "end of stream" or "silence".
func (c Cut) String() string {
	switch c {
	case Reset:
		return "reset"
	case End:
		return "end of stream"
	case Silence:
		return "silence"
	}
	return fmt.Sprintf("Cut(%d)", uint8(c))
}

// DefaultLatency and DefaultBuffer are what zero values in Direction mean.
const (
	DefaultLatency = time.Millisecond
	DefaultBuffer  = 64 << 10 // bytes
)

// Direction describes one direction of the network. The zero value is a fast network with a latency of one millisecond.
type Direction struct {
	// Latency is the time from a write to the moment when it can be read. Zero: DefaultLatency, which makes the order of
	// a transcript certain in a bubble. Negative: none.
	Latency time.Duration
	// BytesPerSecond is the rate at which bytes leave, TLS included. Zero or less: no limit.
	BytesPerSecond int
	// Buffer is the most bytes that were written and not read yet: on their way, and in the kernels of both sides. A write
	// that finds it full waits. With a small one a peer that reads slowly is felt soon. Zero or less: DefaultBuffer.
	Buffer int
	// CutAfter cuts the network when this direction has carried so many bytes, TLS and handshakes included. They are
	// delivered. Zero or less: never.
	CutAfter int64
	// Cut is what happens then. Zero: Reset.
	Cut Cut
}

// network is one connection: two directions under one lock. cond is signalled whenever anything changes.
type network struct {
	mu                 sync.Mutex
	cond               sync.Cond
	toServer, toClient Link
	onCut              func(Cut) // called once, without the lock
	cut                bool
}

func newNetwork(toServer, toClient Direction) *network {
	n := &network{}
	n.cond.L = &n.mu
	n.toServer.init(n, toServer)
	n.toClient.init(n, toClient)
	return n
}

// doCut cuts both directions; n.mu is held. It returns what is to be called when it is not held any more.
func (n *network) doCut(how Cut) (report func()) {
	if n.cut {
		return func() {}
	}
	n.cut = true
	for _, l := range []*Link{&n.toServer, &n.toClient} {
		l.cutAt = -1
		switch how {
		case Silence:
			l.silent, l.left = true, l.queued
		case End:
			l.vanish = true
			l.finish(io.EOF)
		default:
			l.broken = true
			l.finish(syscall.ECONNRESET)
		}
	}
	n.cond.Broadcast()
	onCut := n.onCut
	return func() {
		if onCut != nil {
			onCut(how)
		}
	}
}

func (n *network) cutNow(how Cut) {
	n.mu.Lock()
	report := n.doCut(how)
	n.mu.Unlock()
	report()
}

// abort resets the network, whatever was done to it before, and drops what is on its way.
func (n *network) abort() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
	for _, l := range []*Link{&n.toServer, &n.toClient} {
		l.silent, l.paused, l.vanish, l.broken = false, false, false, true
		l.queue, l.queued, l.last = nil, 0, time.Time{}
		l.ended, l.latency = false, 0
		l.finish(syscall.ECONNRESET)
	}
	n.cond.Broadcast()
}
