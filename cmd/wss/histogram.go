package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations, exact to 1 in 64. It is safe for concurrent use. The zero value is empty.
type histogram struct {
	buckets [59 * 64]atomic.Uint64
	longest atomic.Int64
}

// bucket returns the index for a duration. Up to 127 ns each has a bucket of its own; above, each power of two has 64.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	shift := max(bits.Len64(n)-7, 0)
	return shift*64 + int(n>>shift)
}

// bucketEnd returns the longest duration of a bucket.
func bucketEnd(i int) time.Duration {
	if i < 128 {
		return time.Duration(i)
	}
	shift := i/64 - 1
	return time.Duration(uint64(i%64+64+1)<<shift - 1)
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucket(d)].Add(1)
	for {
		longest := h.longest.Load()
		if int64(d) <= longest || h.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

func (h *histogram) count() (n uint64) {
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// quantile returns the duration that a part of all does not exceed: 0.5 is the median. It returns 0 if the histogram is empty.
func (h *histogram) quantile(part float64) time.Duration {
	rank, n := uint64(part*float64(h.count())), uint64(0)
	for i := range h.buckets {
		if n += h.buckets[i].Load(); n > rank {
			return min(bucketEnd(i), time.Duration(h.longest.Load()))
		}
	}
	return time.Duration(h.longest.Load())
}
