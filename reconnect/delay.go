package reconnect

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// backoff computes the waits.
type backoff struct {
	o     *Options
	waits int // since the beginning, or since a connection lived long enough
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

// retryAfter returns what the server that refused has asked for, 0 if nothing.
func retryAfter(err error, now time.Time) time.Duration {
	var h http.Header
	if e, ok := errors.AsType[*conn.HandshakeError](err); ok && e.Response != nil {
		h = e.Response.Header
	} else if e, ok := errors.AsType[*conn.ProxyError](err); ok && e.Response != nil {
		h = e.Response.Header
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the server's clock, whatever ours says
	}
	var longest time.Duration
	for _, value := range h["Retry-After"] {
		longest = max(longest, parseRetryAfter(value, now))
	}
	return longest
}

// forever is longer than every bound.
const forever = time.Duration(1<<63 - 1)

// parseRetryAfter returns what one field asks for (RFC 9110 §10.2.3): a number of seconds, or a date. What is neither,
// and what has passed, is 0.
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
