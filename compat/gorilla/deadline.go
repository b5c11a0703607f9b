package websocket

import (
	"context"
	"sync"
	"time"
)

// origin makes a deadline one number, that can be stored atomically, without losing the monotonic clock.
var origin = time.Now()

// noDeadline is the number of no deadline.
const noDeadline = 0

func numberOf(t time.Time) int64 {
	if t.IsZero() {
		return noDeadline
	}
	if d := t.Sub(origin); d != 0 {
		return int64(d)
	}
	return 1
}

// contextUntil returns a context that ends at a deadline. release is to be called with it.
func contextUntil(deadline int64) context.Context {
	if deadline == noDeadline {
		return context.Background()
	}
	return &timed{end: origin.Add(time.Duration(deadline))}
}

// release stops the timer of a context of contextUntil.
func release(ctx context.Context) {
	if t, ok := ctx.(*timed); ok {
		t.stop()
	}
}

// timed is a context that ends at a time. It starts a timer when somebody waits for that, which few writes do.
type timed struct {
	end time.Time

	mu    sync.Mutex
	done  chan struct{}
	timer *time.Timer
}

// Deadline returns the time.
func (t *timed) Deadline() (time.Time, bool) { return t.end, true }

// Done is closed at the time.
func (t *timed) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		t.timer = time.AfterFunc(time.Until(t.end), func() { close(t.done) })
	}
	return t.done
}

// Err is context.DeadlineExceeded from the time on.
func (t *timed) Err() error {
	if time.Now().Before(t.end) {
		return nil
	}
	return context.DeadlineExceeded
}

// EndsAtDeadline tells the engine that nothing else ends the context.
func (t *timed) EndsAtDeadline() {}

// Value is always nil.
func (t *timed) Value(any) any { return nil }

// AfterFunc lets context.AfterFunc do without a goroutine.
func (t *timed) AfterFunc(f func()) (stop func() bool) {
	return time.AfterFunc(time.Until(t.end), f).Stop
}

func (t *timed) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}
