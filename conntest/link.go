package conntest

import (
	"io"
	"net"
	"syscall"
	"time"
)

// Link is one direction of a connection's network. Its methods may be called by any number of goroutines.
type Link struct {
	net *network // its lock guards everything below

	latency time.Duration
	rate    int // bytes a second; 0: no limit
	size    int // bytes: the most that may be queued

	queue       []segment
	queued      int       // bytes in queue
	carried     int64     // bytes that were written, in all
	rateFree    time.Time // when rate allows the next byte to leave
	lastArrival time.Time // when the last segment arrives

	finished   bool  // nothing follows the queue but finishErr, at finishedAt
	finishErr  error // the error that the reader gets
	finishedAt time.Time

	readerClosed bool // Close was called by the reader
	writerClosed bool // Close or CloseWrite was called by the writer
	failWrites   bool // writes fail with ECONNRESET
	discard      bool // writes succeed, and their bytes are discarded
	silenced     bool // nothing more is delivered than deliverable
	deliverable  int  // bytes that were queued before silenced
	paused       bool // nothing is delivered until Resume

	cutAt   int64 // value of carried at which the network is cut; negative: none
	cutHow  Cut
	reading deadline
	writing deadline
	wake    *time.Timer // wakes the reader when the next segment arrives
}

// segment holds bytes that arrive together.
type segment struct {
	data []byte
	at   time.Time
}

// segmentSize is the most bytes of a segment if the rate is limited.
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

// Bytes returns the number of bytes that were written in this direction since it was connected, TLS and handshakes included, and
// those that vanish after a cut with Silence.
func (l *Link) Bytes() int64 {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	return l.carried
}

// Buffered returns the number of bytes that were written and not read yet.
func (l *Link) Buffered() int {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	return l.queued
}

// CutAfter cuts both directions of the network after n more bytes in this direction, which are delivered. If n is zero or less, it
// cuts at once. A later call replaces an earlier one. After a cut it does nothing.
func (l *Link) CutAfter(n int64, how Cut) {
	if n <= 0 {
		l.net.cutBoth(how)
		return
	}
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if !l.net.cut {
		l.cutAt, l.cutHow = l.carried+n, how
	}
}

// Pause stops delivery in this direction, as if the reader were slow. Writes succeed until the buffer is full.
func (l *Link) Pause() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.paused = true
}

// Resume continues delivery after Pause.
func (l *Link) Resume() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.paused = false
	l.net.cond.Broadcast()
}

// SetLatency changes the latency of later writes. Zero and negative values are those of Direction.Latency. Bytes stay in order.
func (l *Link) SetLatency(d time.Duration) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if d == 0 {
		d = DefaultLatency
	}
	l.latency = max(d, 0)
}

// finish makes err the result of reads after the queue is empty. The lock is held.
func (l *Link) finish(err error) {
	if l.finished {
		return
	}
	l.finished, l.finishErr = true, err
	l.finishedAt = later(l.lastArrival, time.Now().Add(l.latency))
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
		case l.readerClosed:
			return 0, net.ErrClosed
		case l.reading.expired:
			return 0, l.reading.err()
		case len(p) == 0:
			return 0, nil
		case l.paused, l.silenced && l.deliverable == 0:
		case len(l.queue) > 0:
			if n := l.take(p, now); n > 0 {
				return n, nil
			}
			next = l.queue[0].at
		case l.finished && !l.finishedAt.After(now):
			return 0, l.finishErr
		case l.finished:
			next = l.finishedAt
		}
		if !next.IsZero() {
			l.wakeAt(next.Sub(now))
		}
		l.net.cond.Wait()
	}
}

// take copies bytes that have arrived to p.
func (l *Link) take(p []byte, now time.Time) (n int) {
	if l.silenced {
		p = p[:min(len(p), l.deliverable)]
		defer func() { l.deliverable -= n }()
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
		case l.writerClosed:
			return n, net.ErrClosed
		case l.failWrites || l.readerClosed:
			return n, syscall.ECONNRESET
		case l.discard:
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
			report = l.net.cutLocked(l.cutHow)
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

// put queues bytes, for which the caller has checked that there is room.
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
			l.rateFree = later(l.rateFree, now).Add(time.Duration(float64(len(s.data)) / float64(l.rate) * float64(time.Second)))
			s.at = l.rateFree.Add(l.latency)
		}
		p = p[len(s.data):]
		s.data = append([]byte(nil), s.data...)
		s.at = later(s.at, l.lastArrival)
		l.lastArrival = s.at
		l.queue = append(l.queue, s)
	}
	l.net.cond.Broadcast()
}

// closeWrite ends the stream to the reader.
func (l *Link) closeWrite() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.writerClosed = true
	l.finish(io.EOF)
	l.writing.stop()
	l.net.cond.Broadcast()
}

// closeRead drops what was not read yet.
func (l *Link) closeRead() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.readerClosed = true
	l.queue, l.queued = nil, 0
	l.reading.stop()
	if l.wake != nil {
		l.wake.Stop()
	}
	l.net.cond.Broadcast()
}
