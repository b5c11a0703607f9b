// Package alarm is time.AfterFunc for the few timers that a process has set all the time,
// such as one that ticks as long as there are connections.
//
// While any timer of the runtime's is set, every sleep of a processor is one with a timeout,
// and for each the kernel sets a timer and takes it back: 5 to 10 % of what the echo of a
// short message costs (BenchmarkWakeUp). On Linux these timers are a descriptor instead, that
// the runtime waits for as it does for sockets, and the kernel sets a timer when one has
// fired, not when a processor sleeps.
package alarm

import (
	"sync/atomic"
	"time"
)

// Timer is what AfterFunc has set.
type Timer struct {
	f    func()
	due  time.Time                  // guarded by kernel, as set is
	set  bool                       // in the kernel
	soft atomic.Pointer[time.Timer] // nil while the kernel does it
}

// AfterFunc calls f on a goroutine of its own after d.
func AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{f: f}
	if InBubble() || !kernel.add(t, d) {
		t.soft.Store(time.AfterFunc(d, f))
	}
	return t
}

// Stop reports whether it has kept f from being called.
func (t *Timer) Stop() bool {
	if soft := t.soft.Load(); soft != nil {
		return soft.Stop()
	}
	return kernel.remove(t)
}

// Reset has f called after d, whether or not it was called before or was about to be. It and
// Stop must not be called at the same time.
func (t *Timer) Reset(d time.Duration) {
	if soft := t.soft.Load(); soft != nil {
		soft.Reset(d)
	} else if !kernel.add(t, d) {
		t.soft.Store(time.AfterFunc(d, t.f))
	}
}

// InBubble reports whether the clock is that of a testing/synctest bubble, which begins with
// the year 2000. The kernel knows nothing of it; and a timer that was made outside would wake
// goroutines in the bubble, which ends the program.
func InBubble() bool { return time.Now().Before(longAgo) }

// longAgo is a time before this library, and well after the beginning of a bubble.
var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
