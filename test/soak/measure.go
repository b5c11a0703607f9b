package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// Tolerances: what may be left at the end over what there was at the beginning. Goroutines
// and descriptors have to be the same.
const (
	heapTolerance = 2 << 20
	settleTime    = 10 * time.Second
	settled       = 20 // looks without a change
)

// usage is what the process holds. A number of descriptors that cannot be had is -1.
type usage struct {
	heap        uint64
	goroutines  int
	descriptors int
}

func (u usage) String() string {
	return fmt.Sprintf("heap %.1f MiB, %d goroutines, %d descriptors", float64(u.heap)/(1<<20), u.goroutines, u.descriptors)
}

// use measures as it is.
func use() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{m.HeapAlloc, runtime.NumGoroutine(), descriptors()}
}

// descriptors returns the number of open descriptors, on Linux.
func descriptors() int {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(dir)
}

// settle collects garbage until done says that it is enough, or, if it never is, until
// nothing has shrunk any more for a while: finalizers and pools take several collections.
func settle(done func(usage) bool) usage {
	end := time.Now().Add(settleTime)
	best, same := usage{heap: ^uint64(0)}, 0
	for {
		runtime.GC()
		u := use()
		if u.heap+16<<10 < best.heap || u.goroutines < best.goroutines || u.descriptors < best.descriptors {
			same = 0
		} else {
			same++
		}
		best = usage{min(u.heap, best.heap), u.goroutines, u.descriptors}
		if same >= settled && done(best) || time.Now().After(end) {
			return best
		}
		time.Sleep(20 * time.Millisecond) // for what ends by itself
	}
}

// returned reports whether after is what before was, within the tolerances.
func returned(before, after usage) bool {
	return after.heap <= before.heap+heapTolerance && after.goroutines == before.goroutines && after.descriptors == before.descriptors
}

// grow has the runtime make what it keeps for so many goroutines: their descriptions stay
// in the heap when they have ended, and would look like a leak.
func grow(goroutines int) {
	hold, over := make(chan struct{}), make(chan struct{})
	for range goroutines {
		go func() {
			<-hold
			over <- struct{}{}
		}()
	}
	close(hold)
	for range goroutines {
		<-over
	}
}

// stacks returns those of all goroutines, as far as they are short enough to be read.
func stacks() string {
	b := make([]byte, 32<<10)
	return string(b[:runtime.Stack(b, true)])
}
