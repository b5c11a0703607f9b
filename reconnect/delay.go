package reconnect

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// backoff computes the delays.
type backoff struct {
	o     *Options
	waits int // number of delays since the beginning, or since a connection has lived for ResetAfter
}

// next returns how long to wait after err.
func (b *backoff) next(err error) time.Duration {
	o := b.o
	window := o.MaxDelay
	if code := conn.CloseStatus(err); code != conn.StatusServiceRestart && code != conn.StatusTryAgainLater {
		window = o.MinDelay
		for range b.waits {
			if window >= o.MaxDelay/2 {
				window = o.MaxDelay
				break
			}
			window *= 2
		}
	}
	b.waits++
	least := min(retryAfter(err, time.Now()), max(o.MaxRetryAfter, 0))
	window = max(window, min(least, o.MaxDelay))
	return least + min(max(o.Rand(window), 0), window)
}

// retryAfter returns the largest Retry-After of the response that refused the attempt; 0 if there is none.
func retryAfter(err error, now time.Time) time.Duration {
	var h http.Header
	if e, ok := errors.AsType[*conn.HandshakeError](err); ok && e.Response != nil {
		h = e.Response.Header
	} else if e, ok := errors.AsType[*conn.ProxyError](err); ok && e.Response != nil {
		h = e.Response.Header
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // a date in Retry-After is by the server's clock
	}
	var longest time.Duration
	for _, value := range h["Retry-After"] {
		longest = max(longest, parseRetryAfter(value, now))
	}
	return longest
}

// forever is the longest duration.
const forever = time.Duration(1<<63 - 1)

// parseRetryAfter returns the delay of one field (RFC 9110 §10.2.3), which is a number of seconds or a date. It is 0 for a date in
// the past and for any other value.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.Trim(value, " \t")
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	var seconds time.Duration
	for _, digit := range []byte(value) {
		if digit < '0' || digit > '9' {
			return 0
		}
		if seconds < forever/(100*time.Second) {
			seconds = 10*seconds + time.Duration(digit-'0')
		}
	}
	return seconds * time.Second
}
