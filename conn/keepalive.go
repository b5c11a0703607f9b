package conn

import (
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// keepalive sends a ping after a time without messages, and ends a connection whose
// peer leaves it unanswered. Its clock is the wheel's: reading it costs a load.
type keepalive struct {
	last    atomic.Int64 // when a message, a part of one or the answer to a ping was received
	listen  atomic.Int64 // since when somebody waits for bytes; 0: nobody does
	mayPark atomic.Bool  // the reader is Serve, which wants to know of silence
	parking atomic.Bool  // it was told: the read deadline is ours
	message atomic.Int32 // where the one is that somebody waits for, with MinRate; see pace
	silent  int64        // since when the last wait was for bytes; the reader's

	c     *Conn
	entry wheel.Entry

	due atomic.Int64 // when Tick has to look again but for parking; 0: never

	// used by Tick only
	probe    *probe    // our ping that has no answer yet; nil: there is none
	measured *measured // with MinRate
}

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

func (k *keepalive) start(c *Conn) {
	k.c = c
	if first := sooner(c.settings.pingInterval, c.settings.lookAtRate()); first > 0 {
		c.settings.wheel.Schedule(&k.entry, k, first)
		k.heard()
		k.due.Store(k.last.Load() + int64(first))
	}
}

func (k *keepalive) stop() { k.c.settings.wheel.Cancel(&k.entry) }

// parkable notes whether the reader is Serve, whose wait is to end after parkAfter.
func (k *keepalive) parkable(yes bool) {
	k.mayPark.Store(yes)
	if yes {
		look := parkAfter
		if due := k.due.Load(); due != 0 {
			look = max(min(look, time.Duration(due-k.c.settings.wheel.Now())), wheel.Tick)
		}
		k.c.settings.wheel.Schedule(&k.entry, k, look)
		if k.c.life.hasEnded() {
			k.stop()
		}
	}
}

// heard notes that the peer has sent a message, a part of one, or the answer to a ping. Its own pings
// do not count: they say nothing of whether it receives what is sent to it.
func (k *keepalive) heard() { k.last.Store(k.c.settings.wheel.Now()) }

// listening notes whether somebody waits for bytes: only then can silence be held
// against the peer. If the wait was interrupted, or only control frames arrived, it keeps its first start time. It is for the holder of the read side's token.
func (k *keepalive) listening(yes bool) {
	if !yes {
		if since := k.listen.Swap(0); since != 0 {
			k.silent = since
		}
		return
	}
	if k.c.settings.minRate > 0 {
		k.pace()
	}
	since := k.c.settings.wheel.Now() + 1
	if k.silent != 0 {
		if k.last.Load() < k.silent {
			since = k.silent
		} else {
			k.silent = 0
		}
	}
	k.listen.Store(since)
}

// readerGone notes that the reader is going: while nobody reads nothing can be held against the peer.
func (k *keepalive) readerGone() { k.silent = 0 }

// Tick looks after the connection. It must not block.
func (k *keepalive) Tick() time.Duration {
	c := k.c
	now := c.settings.wheel.Now()
	if c.life.hasEnded() {
		return 0
	}
	again := sooner(k.ping(now), c.settings.lookAtRate())
	if again == 0 {
		k.due.Store(0)
	} else {
		k.due.Store(now + int64(again))
	}
	if c.settings.minRate > 0 {
		k.rate(now)
	}
	if !k.mayPark.Load() {
		return again
	}
	since := k.listen.Load()
	if since != 0 && now-since >= int64(parkAfter) {
		k.mayPark.Store(false)
		k.parking.Store(true)
		c.send.forgetWaiters()
		_ = c.transport.SetReadDeadline(past)
		return again
	}
	look := parkAfter
	if since != 0 {
		look -= time.Duration(now - since)
	}
	return sooner(again, look)
}

// sooner returns the shorter of two durations of which zero stands for never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ping does what silence calls for, and returns when to look again; 0 for never.
func (k *keepalive) ping(now int64) time.Duration {
	c := k.c
	if c.settings.pingInterval == 0 {
		return 0
	}
	last := k.last.Load()
	if k.probe != nil && last < k.probe.sent {
		return k.missing(now)
	}
	k.probe = nil
	if wait := last + int64(c.settings.pingInterval) - now; wait > 0 {
		return time.Duration(wait)
	}
	k.probe = c.newProbe(now)
	c.send.forgetWaiters()
	if _, seq := c.sendPing(nil); seq != 0 {
		go c.send.tryFlush() // it may find more to send than a tick has time for
	}
	return c.settings.pongTimeout
}

// newProbe notes how much is to be sent before a ping that is sent now.
func (c *Conn) newProbe(now int64) *probe {
	_, written := c.transport.Counts()
	// TLS overhead of unwritten data is not counted. So end may be too low, which only shortens the wait;
	// if it were too high, a peer could never be given up.
	return &probe{sent: now, since: now, end: written + c.send.pending() + 1}
}

// missing looks for why a ping has no answer yet, and returns when to look again. The peer is to blame
// when its host has the ping and somebody waits for the answer.
func (k *keepalive) missing(now int64) time.Duration {
	c, p := k.c, k.probe
	timeout := c.settings.pongTimeout
	listen := k.listen.Load()
	if listen == 0 {
		return timeout // nobody reads: the answer may be here
	}
	if wait := time.Duration(max(p.since, listen, c.settings.wheel.Resumed())-now) + timeout; wait > 0 {
		return wait
	}
	before := p.taken
	p.taken = transport.Acknowledged(c.transport)
	onItsWay := p.taken < p.end
	switch {
	case onItsWay && before != 0 && p.taken != before:
		p.since = now // the peer's host takes what was sent before the ping
		return timeout
	case onItsWay && p.excuse == noExcuse:
		// The kernel still repeats what was lost, at intervals that grow to half a minute: a
		// network that was gone for that long may be back.
		p.excuse, p.since = network, now
		return timeout
	case p.excuse != reader:
		// The answer may have come at this moment, or the reader be starved: it gets its turn
		// first.
		p.excuse = reader
		return 2 * wheel.Tick
	}
	go c.abort(ErrPingTimeout)
	return 0
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

// pace notes what is waited for. The read side's token is held.
func (k *keepalive) pace() {
	in := &k.c.in
	switch partial := in.r < in.w || in.receiver.Pending() || in.receiver.Remaining() > 0; {
	case !partial:
		k.message.Store(between)
	case k.message.Load() == between:
		k.message.Store(begun)
	}
}

// rate ends the connection of a peer that sends a message too slowly. Time in which nobody
// waits does not count.
func (k *keepalive) rate(now int64) {
	if k.measured == nil {
		k.measured = new(measured)
	}
	c, m := k.c, k.measured
	in, _ := c.transport.Counts()
	if k.listen.Load() == 0 || k.message.CompareAndSwap(begun, arrives) || k.message.Load() == between || m.mark == 0 ||
		m.mark < c.settings.wheel.Resumed() {
		m.mark, m.base = now, in
		return
	}
	passed := now - m.mark
	if passed < int64(rateWindow-wheel.Tick) { // looks come at ticks
		return
	}
	if float64(in-m.base) < float64(c.settings.minRate)*time.Duration(passed).Seconds() {
		c.tooSlow()
		return
	}
	m.mark, m.base = now, in
}

// tooSlow closes the connection, which somebody reads from.
func (c *Conn) tooSlow() {
	why := &CloseError{Code: StatusPolicyViolation, Reason: "message arrives too slowly", Err: ErrTooSlow}
	c.giveUp(why)
}
