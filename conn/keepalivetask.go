package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/internal/transport"
)

// keepaliveTask is a connection whose keepalive the wheel asks: it does what keepalive decides.
type keepaliveTask Conn

// Tick must not block.
func (t *keepaliveTask) Tick() time.Duration {
	c := (*Conn)(t)
	if c.life.hasEnded() {
		return 0
	}
	first, second, again := c.keepalive.look(c.settings.wheel.Now(), t)
	c.keepaliveAction(first)
	c.keepaliveAction(second)
	return again
}

func (c *Conn) keepaliveAction(a action) {
	switch a {
	case sendPing:
		c.send.forgetWaiters()
		if _, end := c.sendPing(nil); end != 0 {
			go c.send.tryFlush() // it may find more to send than a tick has time for
		}
	case endUnanswered:
		go c.abort(ErrPingTimeout)
	case closeSlowSender:
		c.giveUp(&CloseError{Code: StatusPolicyViolation, Reason: "message arrives too slowly", Err: ErrTooSlow})
	case parkReader:
		c.send.forgetWaiters()
		_ = c.transport.SetReadDeadline(past)
	}
}

func (t *keepaliveTask) received() int64 {
	in, _ := t.transport.Counts()
	return in
}

func (t *keepaliveTask) sentAndQueued() int64 {
	_, out := t.transport.Counts()
	return out + (*Conn)(t).send.pending()
}

func (t *keepaliveTask) insideCompressed() bool { return (*Conn)(t).send.insideCompressed() }

func (t *keepaliveTask) acknowledged() int64 { return transport.Acknowledged(t.transport) }
