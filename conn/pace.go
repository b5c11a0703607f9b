package conn

import (
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// pace decides whether a state, which is a message of SendLatest, is sent at once or stays in the queue, where a newer one
// replaces it. Bytes that the peer's host has received and the peer has not read cannot be replaced, and may be megabytes. A pong
// shows that the peer has read all that was sent before the ping: while a pong is overdue, states stay in the queue.
type pace struct {
	entry wheel.Entry // for paceTask

	mu        sync.Mutex    // guards the fields below; pings.mu and sender.mu are taken while it is held
	pingID    uint64        // number of our ping that has no answer yet; 0: none
	pingSent  time.Time     // when the last ping was sent
	size      int           // bytes of the states that were sent behind it
	roundTrip time.Duration // estimate of the shortest round trip; 0: no ping was answered yet
	held      bool          // a state stays in the queue until the ping is answered
	released  chan struct{} // closed when held becomes false; nil: no goroutine waits for that
}

// A ping costs both sides about as much as a small state. So there are at most 50 a second, and 2 where states are small.
const (
	paceSize          = 16 << 10               // bytes behind a ping before the next one
	paceMinInterval   = 20 * time.Millisecond  // shortest time between two pings
	paceMaxInterval   = 500 * time.Millisecond // after which a state is sent behind a new ping, whatever paceSize says
	paceOverdue       = 30 * time.Millisecond  // a pong is overdue after this, or after two round trips if they take longer
	paceCheckInterval = time.Second            // how often a connection that holds states back is checked for a reader
)

// decide says how a state of size bytes is sent: behind a new ping (ping), or not yet (hold). reading says that a goroutine
// reads from the connection, so that a pong would be seen. States are not held back for a peer that has never answered a ping.
func (p *pace) decide(size int, now time.Time, reading bool) (ping, hold bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pingID == 0 {
		since := now.Sub(p.pingSent)
		ping = since >= paceMaxInterval || since >= paceMinInterval && p.size >= paceSize
		p.size += size
		return ping, false
	}
	if !reading || p.roundTrip == 0 || now.Sub(p.pingSent) <= max(paceOverdue, 2*p.roundTrip) {
		p.release()
		return false, false
	}
	p.held = true
	return false, true
}

// sendPing calls enqueue, which enqueues a ping before a state of size bytes, and reports whether it did. The lock is held
// meanwhile, so that the answer is not handled before the ping is noted.
func (p *pace) sendPing(size int, now time.Time, enqueue func() (id uint64, ok bool)) (sent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, sent := enqueue()
	if sent {
		p.pingID, p.pingSent, p.size = id, now, size
	}
	return sent
}

// answered notes that the ping with this number was answered, and with it all before it. It reports whether that is a ping of
// pace's, and whether a state was held back and now has to be sent.
func (p *pace) answered(id uint64, now time.Time) (own, held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pingID == 0 || id < p.pingID {
		return false, false
	}
	own = id == p.pingID
	p.pingID = 0
	d := max(now.Sub(p.pingSent), 1)
	if p.roundTrip == 0 || d < p.roundTrip {
		p.roundTrip = d
	} else { // follows a path that has become longer; a peer that did not read for a while hardly counts
		p.roundTrip += (min(d, 4*max(p.roundTrip, paceOverdue/2)) - p.roundTrip) / 16
	}
	held = p.held
	p.release()
	return own, held
}

// release stops holding states back. The lock is held.
func (p *pace) release() {
	p.held = false
	if p.released != nil {
		close(p.released)
		p.released = nil
	}
}

// giveUp stops holding states back, and reports whether any was held back. With forget none is held back again before the peer
// has answered a ping.
func (p *pace) giveUp(forget bool) (held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held = p.held
	if forget {
		p.roundTrip = 0
	}
	p.release()
	return held
}

// unanswered returns how long the ping has been without its answer.
func (p *pace) unanswered(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pingID == 0 {
		return 0
	}
	return now.Sub(p.pingSent)
}

// isHeld reports whether a state is held back.
func (p *pace) isHeld() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// whenReleased returns a channel that is closed when states are no longer held back; nil if none is.
func (p *pace) whenReleased() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held && p.released == nil {
		p.released = make(chan struct{})
	}
	return p.released
}
