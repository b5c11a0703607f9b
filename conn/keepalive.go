package conn

import (
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// keepalive decides what a silent peer calls for: a ping, giving the peer up, or freeing what the silent connection holds.
// It knows no connection: whoever reads says what was received, and the wheel asks it (see keepaliveTask). Its clock is
// the wheel's: reading it costs a load.
type keepalive struct {
	settings *settings
	entry    wheel.Entry

	last     atomic.Int64 // when a message, a part of one or the answer to a ping was received
	waits    atomic.Int64 // since when somebody waits for bytes; 0: nobody does
	mayPark  atomic.Bool  // the reader is Serve, which wants to know of silence
	parking  atomic.Bool  // it was told: the read deadline is ours
	progress atomic.Int32 // of the message that somebody waits for, with MinRate: between, begun or arrives
	silent   int64        // since when the last wait was for bytes; the reader's

	due atomic.Int64 // when look has to be called again but for parking; 0: never

	// used by look only
	probe    *probe    // our ping that has no answer yet; nil: there is none
	measured *measured // with MinRate
}

// peerTraffic is what keepalive has to know of a connection.
type peerTraffic interface {
	received() int64        // bytes
	sentAndQueued() int64   // bytes in all, those that wait for the socket included
	acknowledged() int64    // bytes, by the peer's host; see [transport.Acknowledged]
	insideCompressed() bool // a ping would be sent between the fragments of a compressed message
}

// action is what keepalive wants done.
type action uint8

const (
	noAction        action = iota
	sendPing               // and free what is kept for writers
	endUnanswered          // end the connection with ErrPingTimeout
	closeSlowSender        // close the connection with ErrTooSlow
	parkReader             // interrupt the reader, so that it frees its stack
)

// probe is a ping of keepalive's.
type probe struct {
	sent   int64 // when it was sent
	end    int64 // acknowledged bytes (see acknowledged) once the peer's host has the ping
	since  int64 // start of the current wait for the pong: sent, or the last progress
	taken  int64 // bytes that the peer's host had acknowledged at the last look
	excuse excuse
}

// excuse is a reason to wait once more for a missing pong. Each is used at most once; progress (see missing)
// may repeat.
type excuse uint8

const (
	noExcuse excuse = iota
	network         // the peer's host has not acknowledged the ping
	reader          // the answer may have come at this moment
)

// start schedules the first look, by task.
func (k *keepalive) start(s *settings, task wheel.Task) {
	k.settings = s
	if first := sooner(s.pingInterval, s.lookAtRate()); first > 0 {
		s.wheel.Schedule(&k.entry, task, first)
		k.heard()
		k.due.Store(k.last.Load() + int64(first))
	}
}

// cancelPark: the reader is not to be parked any more.
func (k *keepalive) cancelPark() { k.mayPark.Store(false) }

// takeParking reports whether the reader was interrupted to be parked, once.
func (k *keepalive) takeParking() bool { return k.parking.Swap(false) }

// lastHeard is when heard was last called, by the wheel's clock.
func (k *keepalive) lastHeard() int64 { return k.last.Load() }

func (k *keepalive) stop() { k.settings.wheel.Cancel(&k.entry) }

// schedulePark lets the reader, which is Serve, be parked after parkAfter of silence: task is called then.
func (k *keepalive) schedulePark(task wheel.Task) {
	k.mayPark.Store(true)
	pause := parkAfter
	if due := k.due.Load(); due != 0 {
		pause = max(min(pause, time.Duration(due-k.settings.wheel.Now())), wheel.Tick)
	}
	k.settings.wheel.Schedule(&k.entry, task, pause)
}

// heard notes that the peer has sent a message, a part of one, or the answer to a ping. Its own pings
// do not count: they do not show whether it receives what is sent to it.
func (k *keepalive) heard() { k.last.Store(k.settings.wheel.Now()) }

// waitBegins notes that somebody waits for bytes, of a message that has begun if partial: only then can silence be held
// against the peer. If the wait before was interrupted, or ended by control frames only, its start counts. The read
// side's token is held.
func (k *keepalive) waitBegins(partial bool) {
	switch {
	case k.settings.minRate == 0:
	case !partial:
		k.progress.Store(between)
	case k.progress.Load() == between:
		k.progress.Store(begun)
	}
	since := k.settings.wheel.Now() + 1
	if k.silent != 0 {
		if k.last.Load() < k.silent {
			since = k.silent
		} else {
			k.silent = 0
		}
	}
	k.waits.Store(since)
}

// readingFor is how long a reader that has received something counts as reading: it may be handling a message.
const readingFor = time.Second

// isReading reports whether a goroutine reads, and so would see an answer of the peer's.
func (k *keepalive) isReading() bool {
	return k.waits.Load() != 0 || k.settings.wheel.Now()-k.last.Load() < int64(readingFor)
}

// waitEnds notes that nobody waits for bytes any more. The read side's token is held.
func (k *keepalive) waitEnds() {
	if since := k.waits.Swap(0); since != 0 {
		k.silent = since
	}
}

// readerGone notes that the reader is going: while nobody reads nothing can be held against the peer.
func (k *keepalive) readerGone() { k.silent = 0 }

// look decides what is to be done now, at most two things, and after which time to look again; 0 for never.
func (k *keepalive) look(now int64, t peerTraffic) (first, second action, again time.Duration) {
	first, again = k.unanswered(now, t)
	again = sooner(again, k.settings.lookAtRate())
	if again == 0 {
		k.due.Store(0)
	} else {
		k.due.Store(now + int64(again))
	}
	if k.settings.minRate > 0 && k.tooSlow(now, t) {
		return first, closeSlowSender, again
	}
	if !k.mayPark.Load() {
		return first, noAction, again
	}
	since := k.waits.Load()
	if since != 0 && now-since >= int64(parkAfter) {
		k.mayPark.Store(false)
		k.parking.Store(true)
		return first, parkReader, again
	}
	pause := parkAfter
	if since != 0 {
		pause -= time.Duration(now - since)
	}
	return first, noAction, sooner(again, pause)
}

// sooner returns the shorter of two durations of which zero stands for never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// pingLater is when keepalive looks again after it could not ping.
const pingLater = time.Second

// unanswered decides what silence calls for, and when to look again; 0 for never.
func (k *keepalive) unanswered(now int64, t peerTraffic) (action, time.Duration) {
	if k.settings.pingInterval == 0 {
		return noAction, 0
	}
	last := k.last.Load()
	if k.probe != nil && last < k.probe.sent {
		return k.missing(now, t)
	}
	k.probe = nil
	if wait := last + int64(k.settings.pingInterval) - now; wait > 0 {
		return noAction, time.Duration(wait)
	}
	if t.insideCompressed() {
		return noAction, min(pingLater, k.settings.pingInterval)
	}
	// TLS overhead of unwritten data is not counted. So end may be too low, which only shortens the wait; if it were too
	// high, a peer could never be given up.
	k.probe = &probe{sent: now, since: now, end: t.sentAndQueued() + 1}
	return sendPing, k.settings.pongTimeout
}

// missing decides whether the peer is to blame that a ping has no answer yet: it is when its host has the ping and
// somebody waits for the answer.
func (k *keepalive) missing(now int64, t peerTraffic) (action, time.Duration) {
	p, timeout := k.probe, k.settings.pongTimeout
	waits := k.waits.Load()
	if waits == 0 {
		return noAction, timeout // nobody reads: the answer may have been received
	}
	if wait := time.Duration(max(p.since, waits, k.settings.wheel.Resumed())-now) + timeout; wait > 0 {
		return noAction, wait
	}
	before := p.taken
	p.taken = t.acknowledged()
	onItsWay := p.taken < p.end
	switch {
	case onItsWay && before != 0 && p.taken != before:
		p.since = now // the peer's host takes what was sent before the ping
		return noAction, timeout
	case onItsWay && p.excuse == noExcuse:
		// The kernel still repeats what was lost, at intervals that grow to half a minute: a
		// network that was gone for that long may be back.
		p.excuse, p.since = network, now
		return noAction, timeout
	case p.excuse != reader:
		// The answer may have come at this moment, or the reader be starved: it gets its turn
		// first.
		p.excuse = reader
		return noAction, 2 * wheel.Tick
	}
	return endUnanswered, 0
}

// rateWindow is the time over which MinRate is measured, again and again while a message
// arrives.
const rateWindow = 5 * time.Second

// Where the message that somebody waits for is.
const (
	between int32 = iota // none has begun
	begun                // since the last look
	arrives              // it was there at the last look
)

// measured is where the rate is measured from.
type measured struct {
	mark int64 // since when; 0: it is not measured
	base int64 // bytes that had been received then
}

// tooSlow reports whether the peer sends a message too slowly. Time in which nobody waits does not count.
func (k *keepalive) tooSlow(now int64, t peerTraffic) bool {
	if k.measured == nil {
		k.measured = new(measured)
	}
	m, in := k.measured, t.received()
	if k.waits.Load() == 0 || k.progress.CompareAndSwap(begun, arrives) || k.progress.Load() == between || m.mark == 0 ||
		m.mark < k.settings.wheel.Resumed() {
		m.mark, m.base = now, in
		return false
	}
	passed := now - m.mark
	if passed < int64(rateWindow-wheel.Tick) { // looks come at ticks
		return false
	}
	if float64(in-m.base) < float64(k.settings.minRate)*time.Duration(passed).Seconds() {
		return true
	}
	m.mark, m.base = now, in
	return false
}
