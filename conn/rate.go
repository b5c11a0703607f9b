package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

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
	switch partial := in.r < in.w || in.rx.Pending() || in.rx.Remaining() > 0; {
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
	in, _ := c.t.Counts()
	if k.listen.Load() == 0 || k.message.CompareAndSwap(begun, arrives) || k.message.Load() == between || m.mark == 0 ||
		m.mark < c.set.wheel.Resumed() {
		m.mark, m.base = now, in
		return
	}
	passed := now - m.mark
	if passed < int64(rateWindow-wheel.Tick) { // looks come at ticks
		return
	}
	if float64(in-m.base) < float64(c.set.minRate)*time.Duration(passed).Seconds() {
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
