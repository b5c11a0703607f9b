package load

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a round saw.
type Result struct {
	Messages uint64
	Elapsed  time.Duration
	P50      time.Duration // round trips
	P99      time.Duration
	P999     time.Duration
	Max      time.Duration
}

// round is what the connections of a group share for its time.
type round struct {
	window   int
	deadline time.Time
	limit    int64 // messages in all; 0: none
	paced    bool  // somebody else says when to send
	started  atomic.Int64
	messages atomic.Uint64
	busy     sync.WaitGroup

	mu   sync.Mutex
	hist *hdrhistogram.Histogram
}

func newRound(window int, d time.Duration, limit int64) *round {
	return &round{
		window: window, limit: limit, deadline: time.Now().Add(d),
		hist: hdrhistogram.New(100, int64(time.Minute), 3),
	}
}

func (r *round) record(rtt time.Duration, n int) {
	r.mu.Lock()
	_ = r.hist.RecordValues(max(int64(rtt), 100), int64(n))
	r.mu.Unlock()
}

func (r *round) result(elapsed time.Duration) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := func(q float64) time.Duration { return time.Duration(r.hist.ValueAtQuantile(q)) }
	return Result{
		Messages: r.messages.Load(), Elapsed: elapsed,
		P50: at(50), P99: at(99), P999: at(99.9), Max: time.Duration(r.hist.Max()),
	}
}

// ErrStuck says that replies stopped coming.
var ErrStuck = errors.New("no end to a round: replies are missing")

// patience is how long a round may take beyond its time.
const patience = 30 * time.Second

// wait waits until every connection has what it is owed.
func (g *Group) wait(r *round, d time.Duration) error {
	done := make(chan struct{})
	go func() {
		r.busy.Wait()
		close(done)
	}()
	timeout := time.NewTimer(d + patience)
	defer timeout.Stop()
	select {
	case <-done:
		return nil
	case <-g.failed:
		return g.Err()
	case <-timeout.C:
		return ErrStuck
	}
}

// Flood keeps window messages in flight on every connection, for a time and at most a
// number of messages, and then waits for the last reply. As many frames as are missing
// are written at once, as soon as at least half of the window has been answered: so it
// does not depend on how a server groups its replies how the next frames are grouped.
func (g *Group) Flood(window int, d time.Duration, limit int64) (Result, error) {
	r := newRound(window, d, limit)
	start := time.Now()
	r.busy.Add(len(g.Conns))
	for _, c := range g.Conns {
		if err := c.begin(r); err != nil {
			return Result{}, err
		}
	}
	if err := g.wait(r, d); err != nil {
		return Result{}, err
	}
	return r.result(time.Since(start)), nil
}

// begin sends a connection's first batch, even if there is no time.
func (c *Conn) begin(r *round) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round, c.over = r, false
	return c.fill(r.window)
}

// refill fills the window, or ends the connection's part. c.mu is held.
func (c *Conn) refill(now time.Time) error {
	r := c.round
	n := r.window - c.outstanding
	if now.After(r.deadline) || r.limit > 0 && r.started.Load() >= r.limit {
		n = 0
	}
	if n == 0 {
		if c.outstanding == 0 && !c.over {
			c.over = true
			r.busy.Done()
		}
		return nil
	}
	return c.fill(n)
}

// fill sends n more messages. c.mu is held.
func (c *Conn) fill(n int) error {
	c.round.started.Add(int64(n))
	c.outstanding += n
	if c.apart {
		c.credit <- n
		return nil
	}
	return c.emit(n)
}

// emit writes n frames. c.mu is held.
func (c *Conn) emit(n int) error {
	c.batches = append(c.batches, batch{n, time.Now()})
	frames := c.ring.frames(c.sent, n)
	c.sent += uint64(n)
	_, err := c.nc.Write(frames)
	return err
}

// write is the goroutine of a connection whose batches are large.
func (c *Conn) write() {
	for n := range c.credit {
		c.mu.Lock()
		c.batches = append(c.batches, batch{n, time.Now()})
		frames := c.ring.frames(c.sent, n)
		c.sent += uint64(n)
		c.mu.Unlock()
		if _, err := c.nc.Write(frames); err != nil {
			c.group.fail(err)
			return
		}
	}
}

// replied takes note of k replies.
func (c *Conn) replied(k int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.round
	if r == nil { // the server speaks by itself
		c.group.counter.add(k)
		return nil
	}
	now := time.Now()
	if c.outstanding -= k; c.outstanding < 0 {
		return errors.New("more replies than messages")
	}
	r.messages.Add(uint64(k))
	for k > 0 {
		b := &c.batches[0]
		n := min(k, b.n)
		r.record(now.Sub(b.at), n)
		if b.n -= n; b.n == 0 {
			c.batches = append(c.batches[:0], c.batches[1:]...)
		}
		k -= n
	}
	if r.paced || c.outstanding > r.window/2 {
		return nil
	}
	return c.refill(now)
}
