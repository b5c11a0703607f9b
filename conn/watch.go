package conn

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// past is a deadline that has expired: setting it ends a call in progress.
var past = time.Unix(1, 0)

// watch lets the end of a context interrupt one direction of a transport. It
// stays with a context from call to call, so that a loop that passes the same
// one does not register again each time. One call at a time may be watched.
type watch struct {
	interrupt func(time.Time) error // SetReadDeadline or SetWriteDeadline

	mu    sync.Mutex
	gen   int
	fired bool
	done  <-chan struct{}
	stop  func() bool
}

// set makes ctx the one that interrupts, and returns its error if it has ended.
func (w *watch) set(ctx context.Context) error {
	done := ctx.Done()
	if done != w.done {
		w.replace(ctx, done)
	}
	if done == nil {
		return nil
	}
	return ctx.Err()
}

func (w *watch) replace(ctx context.Context, done <-chan struct{}) {
	w.mu.Lock()
	w.gen++
	gen := w.gen
	stop := w.stop
	w.stop, w.done = nil, done
	if w.fired {
		w.fired = false
		_ = w.interrupt(time.Time{})
	}
	w.mu.Unlock()
	if stop != nil {
		stop()
	}
	if done == nil {
		return
	}
	// The callback takes the lock, and a context that has ended calls it at once.
	stop = context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.gen == gen {
			w.fired = true
			_ = w.interrupt(past)
		}
	})
	w.mu.Lock()
	w.stop = stop
	w.mu.Unlock()
}

// clear forgets the context.
func (w *watch) clear() {
	if w != nil {
		w.replace(context.Background(), nil)
	}
}

// newWatch makes the watch of one direction, whose deadline set sets. Where there are no deadlines, the connection is
// closed: a call whose context has ended is not left waiting.
func newWatch(set func(time.Time) error, l *life, owner interface{ abort(error) *CloseError }) *watch {
	return &watch{interrupt: func(t time.Time) error {
		err := set(t)
		if err != nil && !t.IsZero() && !l.hasEnded() {
			go owner.abort(fmt.Errorf("websocket: a call was cancelled on a connection without deadlines: %w", err))
		}
		return err
	}}
}

// watchRead has ctx interrupt reading. The read side's token is held. The watch is made when it is first needed: contexts
// that never end do without.
func (c *Conn) watchRead(ctx context.Context) error {
	if c.in.watch == nil {
		if ctx.Done() == nil {
			return nil
		}
		c.in.watch = newWatch(c.transport.SetReadDeadline, &c.life, c)
	}
	return c.in.watch.set(ctx)
}
