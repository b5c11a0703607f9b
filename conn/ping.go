package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// pings are the pings of this side that wait for their answer.
type pings struct {
	mu   sync.Mutex
	next uint64
	wait []ping // in the order of their numbers
	rtt  atomic.Int64
}

type ping struct {
	id     uint64
	sent   time.Time
	answer chan time.Duration // nil: nobody waits for the answer, as with pings of keepalive and pace
}

// Ping sends a ping and returns the time until its answer (RFC 6455 §5.5.2). The
// answer is received by whoever reads: without a read in progress (Read, Serve,
// CloseRead …) Ping waits until ctx ends. In a callback of a connection, which would
// have to return first, it returns ErrInCallback.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, c.life.because(err)
	}
	if inCallback() {
		return 0, ErrInCallback
	}
	if inBrowser {
		return 0, errBrowserCannot("pings cannot be sent")
	}
	answer := make(chan time.Duration, 1)
	id, end := c.sendPing(answer)
	if end == 0 {
		return 0, c.life.sendErr()
	}
	defer c.pings.forget(id)
	if err := c.send.flushTo(ctx, end); err != nil {
		if e, ok := errors.AsType[*InterruptedError](err); ok {
			err = c.life.because(e.Err)
		}
		return 0, err
	}
	select {
	case rtt := <-answer:
		return rtt, nil
	case <-ctx.Done():
		return 0, c.life.because(ctx.Err())
	case <-c.life.Done():
		return 0, c.life.err()
	}
}

// sendPing enqueues a ping with a fresh number.
func (c *Conn) sendPing(answer chan time.Duration) (id uint64, end int64) {
	p := &c.pings
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	end = c.send.enqueueControl(frame.Ping, binary.BigEndian.AppendUint64(nil, p.next))
	if end == 0 {
		return p.next, 0
	}
	if answer == nil { // keepalive and pace need the answer to the latest ping only
		p.wait = slices.DeleteFunc(p.wait, func(w ping) bool { return w.answer == nil })
	}
	p.wait = append(p.wait, ping{p.next, time.Now(), answer})
	return p.next, end
}

// answered handles a pong. It answers the ping that the pong names, whose number and round trip are returned, and all pings
// before it (RFC 6455 §5.5.3). A pong that matches no ping is unsolicited and ignored: ok is false.
func (p *pings) answered(payload []byte) (id uint64, roundTrip time.Duration, ok bool) {
	if len(payload) != 8 {
		return 0, 0, false
	}
	id = binary.BigEndian.Uint64(payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.wait {
		if w.id != id {
			continue
		}
		now := time.Now()
		roundTrip = now.Sub(w.sent)
		p.rtt.Store(int64(roundTrip))
		for _, w := range p.wait[:i+1] {
			if w.answer != nil {
				w.answer <- now.Sub(w.sent)
			}
		}
		if p.wait = p.wait[i+1:]; len(p.wait) == 0 {
			p.wait = nil
		}
		return id, roundTrip, true
	}
	return 0, 0, false
}

// forget gives up waiting for an answer.
func (p *pings) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.wait {
		if w.id == id {
			p.wait = append(p.wait[:i:i], p.wait[i+1:]...)
			break
		}
	}
	if len(p.wait) == 0 {
		p.wait = nil
	}
}

func (p *pings) drop() {
	p.mu.Lock()
	p.wait = nil
	p.mu.Unlock()
}
