package slog

import (
	"cmp"
	"sync"
	"time"
)

// limiter allows limit events in each second. Zero: DefaultLimit. Negative: no limit.
type limiter struct {
	limit int

	mu         sync.Mutex
	second     time.Time // begin of the current second
	allowed    int       // events in the current second
	suppressed int64     // events since the last one that was allowed
}

// allow reports whether an event may be logged, and how many were suppressed since the last one that was.
func (l *limiter) allow(now time.Time) (suppressed int64, ok bool) {
	if l.limit < 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.second) >= time.Second {
		l.second, l.allowed = now, 0
	}
	if l.allowed >= cmp.Or(l.limit, DefaultLimit) {
		l.suppressed++
		return 0, false
	}
	l.allowed++
	suppressed, l.suppressed = l.suppressed, 0
	return suppressed, true
}
