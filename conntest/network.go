package conntest

import (
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

// Cut says how a network is cut. The zero value is Reset. Values that are not listed below act as Reset.
type Cut uint8

const (
	// Reset ends both directions with syscall.ECONNRESET, as a host that has lost the connection does. Bytes on their way to a
	// reader are delivered first.
	Reset Cut = iota
	// End ends both directions with io.EOF, as a proxy does that closes both connections. Later writes succeed, and their bytes
	// are discarded.
	End
	// Silence delivers nothing that is written later, in both directions, and reports no error, as if a cable was pulled. Writes
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

// DefaultLatency and DefaultBuffer are the values of fields of Direction that are zero.
const (
	DefaultLatency = time.Millisecond
	DefaultBuffer  = 64 << 10 // bytes
)

// Direction describes one direction of the network. The zero value is a fast network with a latency of one millisecond.
type Direction struct {
	// Latency is the time from a write until its bytes can be read. Zero: DefaultLatency. Negative: none; then the order of a
	// transcript's lines is not certain, even in a bubble.
	Latency time.Duration
	// BytesPerSecond is the rate at which bytes are sent, TLS included. Zero or less: no limit.
	BytesPerSecond int
	// Buffer is the most bytes that are written and not read yet, on their way and in the kernels of both sides. A write waits
	// while it is full. With a small buffer a writer soon waits for a slow reader. Zero or less: DefaultBuffer.
	Buffer int
	// CutAfter cuts the network after this number of bytes in this direction, TLS and handshakes included. They are
	// delivered. Zero or less: never.
	CutAfter int64
	// Cut says how CutAfter cuts the network. Zero: Reset.
	Cut Cut
}

// network is the network of one connection: two directions under one lock. cond is broadcast at every change of state.
type network struct {
	mu                 sync.Mutex
	cond               sync.Cond
	toServer, toClient Link
	onCut              func(Cut) // called once, without the lock; nil: not called
	cut                bool
}

func newNetwork(toServer, toClient Direction) *network {
	n := &network{}
	n.cond.L = &n.mu
	n.toServer.init(n, toServer)
	n.toClient.init(n, toClient)
	return n
}

// cutLocked cuts both directions. The lock is held; the caller calls report after it has released it.
func (n *network) cutLocked(how Cut) (report func()) {
	if n.cut {
		return func() {}
	}
	n.cut = true
	for _, l := range []*Link{&n.toServer, &n.toClient} {
		l.cutAt = -1
		switch how {
		case Silence:
			l.silenced, l.deliverable = true, l.queued
		case End:
			l.discard = true
			l.finish(io.EOF)
		default:
			l.failWrites = true
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

// cutBoth cuts both directions at once.
func (n *network) cutBoth(how Cut) {
	n.mu.Lock()
	report := n.cutLocked(how)
	n.mu.Unlock()
	report()
}

// abort resets the network, whatever state it is in, and drops bytes on their way.
func (n *network) abort() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
	for _, l := range []*Link{&n.toServer, &n.toClient} {
		l.silenced, l.paused, l.discard, l.failWrites = false, false, false, true
		l.queue, l.queued, l.lastArrival = nil, 0, time.Time{}
		l.finished, l.latency = false, 0
		l.finish(syscall.ECONNRESET)
	}
	n.cond.Broadcast()
}
