package conntest

import (
	"fmt"
	"io"
	"net"
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

// Link is one direction of a connection's network. Its methods may be called by any number of goroutines.
type Link struct {
	net *network // its lock guards everything below

	latency time.Duration
	rate    int
	size    int

	queue   []segment
	queued  int       // bytes in queue
	carried int64     // bytes ever taken
	free    time.Time // when the last byte has left, at the rate
	last    time.Time // when the last segment arrives

	ended   bool  // nothing follows the queue but end, at endAt
	end     error // what the reader gets
	endAt   time.Time
	gone    bool // the reader has closed
	shut    bool // the writer has closed
	broken  bool // writes fail with ECONNRESET
	vanish  bool // writes succeed and are forgotten
	silent  bool // nothing is delivered for good, but for what was queued before
	left    int  // bytes of that
	paused  bool // nothing is delivered, until Resume
	cutAt   int64
	cutHow  Cut
	reading deadline
	writing deadline
	wake    *time.Timer // for what arrives next
}

// segment is bytes that arrive together.
type segment struct {
	data []byte
	at   time.Time
}

// segmentSize is the most bytes of a segment where the rate is limited.
const segmentSize = 1460

func (l *Link) init(n *network, d Direction) {
	l.net, l.rate, l.size = n, max(d.BytesPerSecond, 0), d.Buffer
	switch {
	case d.Latency == 0:
		l.latency = DefaultLatency
	case d.Latency > 0:
		l.latency = d.Latency
	}
	if l.size <= 0 {
		l.size = DefaultBuffer
	}
	l.cutAt = -1
	if d.CutAfter > 0 {
		l.cutAt, l.cutHow = d.CutAfter, d.Cut
	}
}

// Bytes returns how many bytes this direction has carried since it was connected, TLS and handshakes included.
func (l *Link) Bytes() int64 {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	return l.carried
}

// Buffered returns how many bytes were written and not read yet.
func (l *Link) Buffered() int {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	return l.queued
}

// CutAfter cuts the network, both directions of it, when this direction has carried n more bytes, which are delivered.
// With zero or less it is cut at once. A later call replaces an earlier one; a network that is cut stays so.
func (l *Link) CutAfter(n int64, how Cut) {
	if n <= 0 {
		l.net.cutNow(how)
		return
	}
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if !l.net.cut {
		l.cutAt, l.cutHow = l.carried+n, how
	}
}

// Pause stops delivery in this direction: a reader that takes its time. Writes succeed until the buffer is full.
func (l *Link) Pause() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.paused = true
}

// Resume goes on with delivery after Pause.
func (l *Link) Resume() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.paused = false
	l.net.cond.Broadcast()
}

// SetLatency changes the latency of what is written from now on; zero and negative values mean as in Direction. Bytes stay
// in order.
func (l *Link) SetLatency(d time.Duration) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if d == 0 {
		d = DefaultLatency
	}
	l.latency = max(d, 0)
}

// finish has the reader get err behind what is queued; the lock is held.
func (l *Link) finish(err error) {
	if l.ended {
		return
	}
	l.ended, l.end = true, err
	l.endAt = later(l.last, time.Now().Add(l.latency))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (l *Link) read(p []byte) (int, error) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	for {
		now := time.Now()
		var next time.Time
		switch {
		case l.gone:
			return 0, net.ErrClosed
		case l.reading.expired:
			return 0, l.reading.err()
		case len(p) == 0:
			return 0, nil
		case l.paused, l.silent && l.left == 0:
		case len(l.queue) > 0:
			if n := l.take(p, now); n > 0 {
				return n, nil
			}
			next = l.queue[0].at
		case l.ended && !l.endAt.After(now):
			return 0, l.end
		case l.ended:
			next = l.endAt
		}
		if !next.IsZero() {
			l.wakeAt(next.Sub(now))
		}
		l.net.cond.Wait()
	}
}

// take returns bytes that have arrived.
func (l *Link) take(p []byte, now time.Time) (n int) {
	if l.silent {
		p = p[:min(len(p), l.left)]
		defer func() { l.left -= n }()
	}
	for n < len(p) && len(l.queue) > 0 && !l.queue[0].at.After(now) {
		s := &l.queue[0]
		k := copy(p[n:], s.data)
		n += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			l.queue = l.queue[1:]
		}
	}
	if l.queued -= n; n > 0 {
		l.net.cond.Broadcast()
	}
	return n
}

func (l *Link) wakeAt(d time.Duration) {
	if l.wake == nil {
		l.wake = time.AfterFunc(d, func() {
			l.net.mu.Lock()
			defer l.net.mu.Unlock()
			l.net.cond.Broadcast()
		})
		return
	}
	l.wake.Reset(d)
}

func (l *Link) write(p []byte) (n int, err error) {
	report := func() {}
	l.net.mu.Lock()
	defer func() {
		l.net.mu.Unlock()
		report()
	}()
	for {
		switch {
		case l.shut:
			return n, net.ErrClosed
		case l.broken || l.gone:
			return n, syscall.ECONNRESET
		case l.vanish:
			return n + len(p), nil
		case l.writing.expired:
			return n, l.writing.err()
		}
		k := min(len(p), l.size-l.queued)
		if l.cutAt >= 0 {
			k = min(k, int(min(l.cutAt-l.carried, 1<<30)))
		}
		l.put(p[:k])
		n, p = n+k, p[k:]
		if l.cutAt >= 0 && l.carried >= l.cutAt {
			report = l.net.doCut(l.cutHow)
			if l.cutHow == Reset {
				return n + len(p), nil // the kernel has taken the rest: the error comes with the next call
			}
		}
		if len(p) == 0 {
			return n, nil
		}
		if k == 0 {
			l.net.cond.Wait()
		}
	}
}

// put queues bytes; there is room.
func (l *Link) put(p []byte) {
	if len(p) == 0 {
		return
	}
	now := time.Now()
	l.queued += len(p)
	l.carried += int64(len(p))
	for len(p) > 0 {
		s := segment{data: p, at: now.Add(l.latency)}
		if l.rate > 0 {
			s.data = p[:min(len(p), segmentSize)]
			l.free = later(l.free, now).Add(time.Duration(float64(len(s.data)) / float64(l.rate) * float64(time.Second)))
			s.at = l.free.Add(l.latency)
		}
		p = p[len(s.data):]
		s.data = append([]byte(nil), s.data...)
		s.at = later(s.at, l.last)
		l.last = s.at
		l.queue = append(l.queue, s)
	}
	l.net.cond.Broadcast()
}

// closeWrite ends the stream to the reader.
func (l *Link) closeWrite() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.shut = true
	l.finish(io.EOF)
	l.writing.stop()
	l.net.cond.Broadcast()
}

// closeRead gives up what has not been read.
func (l *Link) closeRead() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.gone = true
	l.queue, l.queued = nil, 0
	l.reading.stop()
	if l.wake != nil {
		l.wake.Stop()
	}
	l.net.cond.Broadcast()
}
