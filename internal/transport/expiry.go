package transport

import (
	"sync"
	"time"
)

// expiry is a deadline. The Stream's lock guards it.
type expiry struct {
	timer   *time.Timer
	expired bool
}

func (e *expiry) stop() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

func (e *expiry) set(s *Stream, c *sync.Cond, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.stop()
	e.expired = !t.IsZero() && time.Until(t) <= 0
	if !t.IsZero() && !e.expired && !s.closed {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if e.timer == timer {
				e.expired = true
				c.Broadcast()
			}
		})
		e.timer = timer
	}
	c.Broadcast()
}
