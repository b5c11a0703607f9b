package track

import (
	"slices"
	"sync"
	"time"
)

// RoundTripBuckets are the upper bounds of round trips, in seconds: from 1 ms to the default PongTimeout.
var RoundTripBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}

// Histogram counts round trips by RoundTripBuckets. The zero value is empty. Both methods may be called by any number of
// goroutines.
type Histogram struct {
	mu     sync.Mutex
	counts []int64
	sum    time.Duration
}

// Observe adds a round trip.
func (h *Histogram) Observe(d time.Duration) {
	i, _ := slices.BinarySearch(RoundTripBuckets, d.Seconds())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = make([]int64, len(RoundTripBuckets)+1)
	}
	h.counts[i]++
	h.sum += d
}

// Cumulative returns for each bound the number of round trips up to it, followed by the number of all, and their sum.
func (h *Histogram) Cumulative() (counts []int64, sum time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts = make([]int64, len(RoundTripBuckets)+1)
	n := int64(0)
	for i, c := range h.counts {
		n += c
		counts[i] = n
	}
	return counts, h.sum
}
