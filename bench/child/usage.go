package child

import (
	"math"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// cpuTime is what this process has used so far, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// usage returns what was used so far. The CPU time is taken nearest to the round:
// reading the allocator's statistics stops the program for a moment, and is not the
// library's doing.
func usage(begin bool) Reply {
	var r Reply
	if !begin {
		r.CPU = cpuTime()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Mallocs, r.TotalAlloc, r.GCs = m.Mallocs, m.TotalAlloc, m.NumGC
	if begin {
		r.CPU = cpuTime()
	}
	return r
}

// Memory returns what is live: it collects until that does not become less. Pools lose
// their contents at the second collection and stacks shrink at each by half at most; and
// what a library keeps for a while it may give to a pool, when it lets go of it.
func Memory() Reply {
	var m runtime.MemStats
	for least, same := uint64(math.MaxUint64), 0; same < 4; {
		runtime.GC()
		runtime.ReadMemStats(&m)
		if now := m.HeapInuse + m.StackInuse; now < least {
			least, same = now, 0
		} else {
			same++
		}
	}
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	return Reply{
		HeapInuse: m.HeapInuse, HeapAlloc: m.HeapAlloc, StackInuse: m.StackInuse,
		Goroutines: runtime.NumGoroutine(),
	}
}
