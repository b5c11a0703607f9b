package http2

import (
	"io"
	"time"
)

// budget bounds what a server can have us do for nothing: frames that cost little to send and carry no message. It is refilled with time,
// and by what we send.
type budget struct {
	spent float64 // less than nothing: WINDOW_UPDATEs that are due
	since time.Time
}

const (
	budgetSize   = 1000 // frames
	budgetRefill = 100  // frames a second
	// maxDue is the most frames that may be due: those for 32 MiB on the way.
	maxDue = 64 << 10
)

// spend takes one frame, and reports whether there was one left.
func (b *budget) spend(now time.Time) bool {
	if b.spent > 0 {
		b.spent = max(0, b.spent-now.Sub(b.since).Seconds()*budgetRefill)
	}
	b.since = now
	if b.spent >= budgetSize {
		return false
	}
	b.spent++
	return true
}

// earn gives some back, for a frame of ours with n bytes of data: the server may answer it by WINDOW_UPDATE, for the stream and for the
// connection, whenever it has read a KiB. net/http does so with every 4 KiB.
func (b *budget) earn(n int) { b.spent = max(-maxDue, b.spent-float64(2+2*(n>>10))) }

// boundedReader bounds the bytes that are read for one frame with the CONTINUATION frames that belong to it: those are read in one call, and may
// be empty.
type boundedReader struct {
	r    io.Reader
	most int64
	n    int64 // read since the last whole frame
}

// Read fails when it has read too much for one frame.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.n > b.most {
		return 0, errTooMany
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	return n, err
}
