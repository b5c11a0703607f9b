package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// The latencies of peers.
const (
	// MaxLatency is the most by which a wait is longer for each answer of a slow peer. One that is slower still fails.
	MaxLatency = 2 * time.Second
	// assumedLatency is that of a client of which nothing is known yet.
	assumedLatency = 250 * time.Millisecond
)

// Latency measures how long a server takes for an answer: an echo, and a close frame, of which the longer counts. Run sets its
// waits by it. It is 0 if the server does not echo, or refuses: what the cases find then. An error says that there was no
// connection, which is a [*GoneError], or no TLS.
func Latency(ctx context.Context, o Options) (time.Duration, error) {
	o, err := o.withDefaults()
	if err != nil {
		return 0, err
	}
	c := &Case{ClosesItself: true, Closing: normalClosing(), byRFC: true}
	at, err := dial(ctx, &o, c)
	if refused, ok := errors.AsType[*unreachableError](err); ok {
		if refusedBy(refused) != nil {
			return 0, &GoneError{URL: o.URL, Err: refused.err}
		}
		return 0, fmt.Errorf("suite: %s cannot be tested: %w", o.URL, refused.err)
	}
	if err != nil {
		return 0, nil
	}
	r := newResult(c, 0, "")
	p := newPeer(c, at, r, pace{slowness: o.Slowness})
	defer p.leave()
	return p.measure(ctx), nil
}

// measure sends a message and a close frame, each when the answer to what was before has come.
func (p *Peer) measure(ctx context.Context) time.Duration {
	var began time.Time
	var longest time.Duration
	answered := func() { longest = max(longest, time.Since(began)) }
	p.after("give up", 2*MaxLatency, func() { p.drop("there is no answer") })
	p.onMessage = func([]byte, bool) {
		answered()
		began = time.Now()
		p.Close(frame.NormalClosure)
	}
	began = time.Now()
	p.Send(text(greeting))
	for p.state == stateOpen {
		p.turn(ctx)
	}
	for p.state == stateClosing && !p.bothClosed() {
		p.turn(ctx)
	}
	if !p.bothClosed() {
		return min(longest, MaxLatency)
	}
	answered()
	return min(longest, MaxLatency)
}

func (p *Peer) bothClosed() bool { return p.result.bothClosed }

// unreachableError says that there was no connection to a server, or no TLS on it.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// pace is by what waits are longer than the original's: slowness times, and the peer's latency for every answer.
type pace struct {
	slowness float64
	latency  time.Duration
}

// of returns a wait of a case in which so many answers are awaited, one after the other.
func (w pace) of(d time.Duration, answers int) time.Duration {
	return time.Duration(w.slowness*float64(d)) + time.Duration(answers)*w.latency
}

// answers is how many a peer has to give in a case, one after the other, its close frame and the end of TCP included.
func (c *Case) answers() int { return c.rounds + c.atEnd() }

// atEnd is how many answers there can be yet when the closing handshake has begun.
func (c *Case) atEnd() int {
	most := 0
	for _, o := range c.Outcomes {
		most = max(most, len(o.Events))
	}
	return most + 2
}

// learner finds out the latency of a client by its cases: none can be run before the first.
type learner struct {
	mu    sync.Mutex
	known bool
	most  time.Duration
}

// latency returns what is known, or assumed.
func (l *learner) latency() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known {
		return assumedLatency
	}
	return l.most
}

// learn takes the time from our close frame to the peer's in a case; 0 is none.
func (l *learner) learn(d time.Duration) {
	if d == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.most = true, min(max(l.most, d), MaxLatency)
}
