// Package bubble tells whether the clock is that of a testing/synctest bubble. What all connections share must not be met
// in one: a timer that was made outside would wake goroutines inside, which ends the program.
package bubble

import "time"

// Inside reports whether the clock is a bubble's, which begins with the year 2000.
func Inside() bool { return time.Now().Before(longAgo) }

// longAgo is a time before this library, and well after the beginning of a bubble.
var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
