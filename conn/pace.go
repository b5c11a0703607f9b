package conn

import (
	"context"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// pace decides whether a state of SendLatest is sent at once or left in the queue, where a newer one may replace it. What the
// peer's host has received and the peer has not read is a backlog that cannot be replaced, and it can be megabytes. A peer
// answers a ping when it reads it, behind what was sent before: while an answer is overdue, states are left in the queue.
type pace struct {
	entry wheel.Entry

	mu       sync.Mutex    // guards what follows; of the connection's locks, those of pings and sender are taken while it is held
	ping     uint64        // the number of our ping that has no answer yet; 0: there is none
	sent     time.Time     // when the last ping was sent
	behind   int           // bytes of states that were sent behind it
	trip     time.Duration // about the least time in which a ping was answered; 0: none was
	held     bool          // a state was left in the queue until the ping is answered
	released chan struct{} // closed when held ends; nil: nobody waits for that
}

// A ping costs both sides about as much as a small state. So there are at most 50 a second, and 2 where states are small.
const (
	paceBytes   = 16 << 10               // behind a ping, before there is another
	pacePause   = 20 * time.Millisecond  // between two pings, at least
	paceRest    = 500 * time.Millisecond // between two pings, at most, whatever their number of bytes
	paceOverdue = 30 * time.Millisecond  // after which an answer is overdue, unless two round trips take longer
	paceLook    = time.Second            // how often somebody looks whether answers are read
)

// next decides how a state of size bytes is sent: behind a new ping, or not yet. reading says that an answer would be read now. A peer
// that never has answered a ping is not waited for.
func (p *pace) next(size int, now time.Time, reading bool) (ping, hold bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ping == 0 {
		since := now.Sub(p.sent)
		ping = since >= paceRest || since >= pacePause && p.behind >= paceBytes
		p.behind += size
		return ping, false
	}
	if !reading || p.trip == 0 || now.Sub(p.sent) <= max(paceOverdue, 2*p.trip) {
		p.release()
		return false, false
	}
	p.held = true
	return false, true
}

// sendPing has a ping enqueued, before a state of size bytes, and reports whether it was. It returns before the answer is noted.
func (p *pace) sendPing(size int, now time.Time, enqueue func() (id uint64, ok bool)) (sent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, sent := enqueue()
	if sent {
		p.ping, p.sent, p.behind = id, now, size
	}
	return sent
}

// answered notes that a ping was answered, and with it all before, and reports whether a state was held back for that.
func (p *pace) answered(id uint64, now time.Time) (held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ping == 0 || id < p.ping {
		return false
	}
	p.ping = 0
	trip := max(now.Sub(p.sent), 1)
	if p.trip == 0 || trip < p.trip {
		p.trip = trip
	} else { // it follows a path that has become longer, and hardly a peer that did not read for a while
		p.trip += (min(trip, 4*max(p.trip, paceOverdue/2)) - p.trip) / 16
	}
	held = p.held
	p.release()
	return held
}

// release ends that states are held back. The lock is held.
func (p *pace) release() {
	p.held = false
	if p.released != nil {
		close(p.released)
		p.released = nil
	}
}

// giveUp ends that states are held back, as nobody reads the answer, and reports whether any were.
func (p *pace) giveUp() (held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held = p.held
	p.release()
	return held
}

// isHeld reports whether a state is held back.
func (p *pace) isHeld() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// whenReleased returns a channel that is closed when no state is held back any more; nil if none is.
func (p *pace) whenReleased() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held && p.released == nil {
		p.released = make(chan struct{})
	}
	return p.released
}

// pace returns what paces the states of this connection; nil if MaxUnsent says that nothing does. The first call bounds what the
// kernel holds.
func (c *Conn) pace() *pace {
	if c.settings.maxUnsent < 0 || inBrowser {
		return nil
	}
	at := &c.timeouts().pace
	if p := at.Load(); p != nil {
		return p
	}
	if at.CompareAndSwap(nil, new(pace)) && c.settings.maxUnsent == 0 {
		transport.BoundUnsent(c.transport, DefaultMaxUnsent)
	}
	return at.Load()
}

// paceState enqueues a ping before a state of size bytes if it is time for one, and reports whether the state is to be left in
// the queue.
func (c *Conn) paceState(p *pace, size int) (pinged, hold bool) {
	now := time.Now()
	ping, hold := p.next(size, now, c.keepalive.waits.Load() != 0)
	return ping && !c.send.insideCompressed() && p.sendPing(size, now, c.enqueuePing), hold
}

// enqueuePing enqueues a ping whose answer nobody waits for.
func (c *Conn) enqueuePing() (id uint64, ok bool) {
	id, end := c.sendPing(nil)
	return id, end != 0
}

// leave leaves a state in the queue until a ping is answered, and reports whether that is still to come.
func (c *Conn) leave(p *pace) bool {
	if !p.isHeld() {
		return false
	}
	c.settings.wheel.Schedule(&p.entry, (*paceTask)(c), paceLook)
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
	return true
}

// paceAnswered sends what was held back until a ping was answered.
func (c *Conn) paceAnswered(id uint64) {
	all := c.lazyTimeouts.Load()
	if all == nil {
		return
	}
	if p := all.pace.Load(); p != nil && p.answered(id, time.Now()) {
		c.send.tryFlush()
	}
}

// paceTask is a connection that holds states back. While nobody reads from it no answer is seen: they are sent then.
type paceTask Conn

// Tick must not block.
func (t *paceTask) Tick() time.Duration {
	c := (*Conn)(t)
	p := c.timeouts().pace.Load()
	switch {
	case c.life.hasEnded() || !p.isHeld():
		return 0
	case c.keepalive.waits.Load() != 0:
		return paceLook
	}
	if p.giveUp() {
		go c.send.tryFlush() // it may find more to send than a tick has time for
	}
	return 0
}

// WaitDrained returns when nothing is queued any more, neither for a socket that takes no more nor, with SendLatest, for a peer that
// does not read: it is time to make the next state. The answer of such a peer is received by whoever reads, as with [Conn.Ping];
// in a callback, which would have to return first, WaitDrained returns ErrInCallback.
func (c *Conn) WaitDrained(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.life.because(err)
	}
	if inCallback() {
		return ErrInCallback
	}
	if p := c.pace(); p != nil {
		for released := p.whenReleased(); released != nil; released = p.whenReleased() {
			select {
			case <-released:
			case <-ctx.Done():
				return c.life.because(ctx.Err())
			case <-c.life.Done():
				return c.life.err()
			}
		}
	}
	return c.send.flush(ctx)
}
