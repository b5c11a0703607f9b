package conn

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// unreadTask is a connection whose HTTP handler has returned: somebody has to read from it, or neither the peer's messages
// nor the end of the connection will ever be seen.
type unreadTask Conn

// watchHandler starts the watch when the request's context ends. net/http ends it when the
// handler returns or panics; middleware that sets a timeout may end it earlier.
func (c *Conn) watchHandler(ctx context.Context) {
	if ctx.Done() != nil {
		context.AfterFunc(ctx, c.handlerReturned)
	}
}

// handlerReturned starts the watch, unless Serve is running.
func (c *Conn) handlerReturned() {
	if c.in.serving.Load() || c.life.hasEnded() {
		return
	}
	entry := new(wheel.Entry)
	if !c.timeouts().unread.CompareAndSwap(nil, entry) {
		return
	}
	c.in.used.Store(false)
	c.settings.wheel.Schedule(entry, (*unreadTask)(c), c.settings.idleInterval())
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
}

// Tick closes the connection if nobody has read since the last look, and nobody is waiting to.
func (t *unreadTask) Tick() time.Duration {
	c := (*Conn)(t)
	switch {
	case c.life.hasEnded(), c.in.serving.Load():
		return 0
	case c.in.used.Swap(false), c.in.token.Locked():
		return c.settings.idleInterval()
	}
	if c.giveUp(&CloseError{Code: StatusInternalError, Err: ErrUnread}) {
		go c.awaitClose()
	}
	return 0
}
