package conn

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// unread looks after a connection whose HTTP handler has returned: somebody has to read from it, or
// neither the peer's messages nor the end of the connection will ever be seen.
type unread struct {
	c     *Conn
	entry wheel.Entry
}

// watchHandler starts the watch when the request's context ends. net/http ends it when the
// handler returns or panics; middleware that sets a timeout may end it earlier.
func (c *Conn) watchHandler(ctx context.Context) {
	if ctx.Done() != nil {
		context.AfterFunc(ctx, c.handlerReturned)
	}
}

// handlerReturned begins to look, unless there is somebody for good.
func (c *Conn) handlerReturned() {
	if c.in.serving.Load() || c.life.hasEnded() {
		return
	}
	u := &unread{c: c}
	if !c.timeouts().unread.CompareAndSwap(nil, u) {
		return
	}
	c.in.used.Store(false)
	c.settings.wheel.Schedule(&u.entry, u, u.patience())
	if c.life.hasEnded() {
		c.cancelTimeouts()
	}
}

// patience is how long nobody may read.
func (u *unread) patience() time.Duration { return u.c.settings.idleInterval() }

// Tick closes the connection if nobody has read since the last look, and nobody is waiting to.
func (u *unread) Tick() time.Duration {
	c := u.c
	switch {
	case c.life.hasEnded(), c.in.serving.Load():
		return 0
	case c.in.used.Swap(false), c.in.token.Locked():
		return u.patience()
	}
	why := &CloseError{Code: StatusInternalError, Err: ErrUnread}
	if c.giveUp(why) {
		go c.awaitClose()
	}
	return 0
}
