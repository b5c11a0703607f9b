package http2

import "time"

// budget bounds what a server can have us do for nothing: frames that cost little to send and carry no message. It is refilled with time.
type budget struct {
	spent float64
	since time.Time
}

const (
	budgetSize   = 1000 // frames
	budgetRefill = 100  // frames a second
)

// spend takes one frame, and reports whether there was one left.
func (b *budget) spend(now time.Time) bool {
	if !b.since.IsZero() {
		b.spent = max(0, b.spent-now.Sub(b.since).Seconds()*budgetRefill)
	}
	b.since = now
	if b.spent >= budgetSize {
		return false
	}
	b.spent++
	return true
}

// earn gives some back, for a frame of ours that the server may have to answer by WINDOW_UPDATE: once for the stream, and once for the
// connection.
func (b *budget) earn() { b.spent = max(0, b.spent-2) }
