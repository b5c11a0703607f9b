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
