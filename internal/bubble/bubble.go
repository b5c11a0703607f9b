// Package bubble tells whether the clock is that of a testing/synctest bubble. What all connections share must not be met
// in one: a timer that was made outside would wake goroutines inside, which ends the program.
package bubble

import (
	"context"
	"time"
)

// Inside reports whether the clock is a bubble's, which begins with the year 2000.
func Inside() bool { return time.Now().Before(longAgo) }

// Sleep waits for d, or until ctx ends, whose error it returns then. It makes no timer where there is nothing to wait for: with the race
// detector, goroutines of a bubble that find such timers expired at the same time can crash the runtime of Go 1.26.8.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// longAgo is a time before this library, and well after the beginning of a bubble.
var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
