package suite

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// The waits of the closing handshake, as long as the original's.
const (
	replyTimeout = time.Second // for the peer's close frame, when ours was sent
	dropTimeout  = time.Second // for the server to end the connection, when both were seen (RFC 6455 §7.1.1)
)

// after has fire called within Wait when d has passed, unless another timer of that name takes its place.
func (p *Peer) after(name string, d time.Duration, fire func()) {
	p.timers[name] = timer{time.Now().Add(p.slow(d)), fire}
}

type timer struct {
	at   time.Time
	fire func()
}

func (p *Peer) slow(d time.Duration) time.Duration { return p.pace.of(d, p.test.answers()) }

// afterClosing is after for a wait of the closing handshake.
func (p *Peer) afterClosing(name string, d time.Duration, fire func()) {
	p.timers[name] = timer{time.Now().Add(p.pace.of(d, p.test.atEnd())), fire}
}

// KillAfter fails the connection if it still exists when d has passed: with status 1001, or by ending TCP where a close frame was
// sent before.
func (p *Peer) KillAfter(d time.Duration) {
	p.log.wait("KL", d.Seconds())
	p.after("kill", d, func() {
		then := "failed the connection with 1001"
		if p.state != stateOpen {
			then = "ended the TCP connection"
		}
		p.log.over("KLE", "the time is over, and the suite "+then)
		p.timeOut(p.slow(d), then)
		p.fail(frame.GoingAway, "the case took too long")
	})
}

// CloseAfter begins a closing handshake without a status code if none has begun when d has passed.
func (p *Peer) CloseAfter(d time.Duration) {
	p.log.wait("TI", d.Seconds())
	p.after("close", d, func() {
		if p.state != stateOpen {
			p.log.over("TIE", "the time is over; the closing handshake had begun before")
			return
		}
		p.log.over("TIE", waited("TIE", nil))
		p.timeOut(p.slow(d), "began the closing handshake without a status code")
		p.Send(closeFrame(""))
	})
}

// Wait sends what is queued, handles what comes for so long, and reports whether the connection still exists.
func (p *Peer) Wait(ctx context.Context, d time.Duration, tag string) bool {
	p.log.wait("CT", d.Seconds(), tag)
	over := false
	p.after("wait", d, func() { over = true })
	for !over && p.state != stateClosed {
		p.turn(ctx)
	}
	if p.state == stateClosed {
		return false
	}
	p.log.wait("CTE", tag)
	return true
}

// finish handles what comes until the connection has ended.
func (p *Peer) finish(ctx context.Context) {
	for p.state != stateClosed {
		p.turn(ctx)
	}
}

// turn waits for one thing to happen: octets, the end of the connection, or a timer.
func (p *Peer) turn(ctx context.Context) {
	p.flush()
	name, next := p.nextTimer()
	alarm := time.NewTimer(time.Until(next.at))
	defer alarm.Stop()
	select {
	case b, ok := <-p.link.in:
		if !ok {
			p.lost()
			return
		}
		p.log.received(b)
		if p.test.lasts > 0 {
			p.heard = time.Now()
		}
		p.receive(b)
		p.link.done(b)
	case <-alarm.C:
		delete(p.timers, name)
		next.fire()
	case <-p.wake:
		p.wake = nil
	case <-ctx.Done():
		p.drop("the run was cancelled")
	}
}

// nextTimer returns the timer that fires first. There always is one: that of giving up.
func (p *Peer) nextTimer() (name string, next timer) {
	for n, t := range p.timers {
		if name == "" || t.at.Before(next.at) {
			name, next = n, t
		}
	}
	return name, next
}

// lost keeps account of a connection that the peer has ended.
func (p *Peer) lost() {
	p.result.streamEnd = p.link.end
	p.result.first = p.server && p.closed
	if p.test.lasts > 0 && p.state == stateOpen && p.result.Behavior == report.Failed {
		p.result.Result = "Not everything came back: the peer ended the connection."
	}
	if !p.result.WasClean && p.result.WasNotCleanReason == nil {
		why := "the peer ended the connection without a closing handshake"
		p.result.WasNotCleanReason = &why
	}
	p.end()
}
