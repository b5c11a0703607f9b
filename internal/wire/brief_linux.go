//go:build linux && !386 && !s390x && !race

package wire

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/bubble"
)

// brief says which calls the scheduler of Go's is not told of. A call that does not wait is
// over in microseconds, so there is nothing for it to do meanwhile; but to be told may cost
// more than the call. For when all was asleep before, so is sysmon, the thread of the runtime's
// that looks for what takes too long, and being told wakes it: with one message in flight on
// one connection each time, for a fifth of what the whole echo takes.
//
// Without sysmon, though, a goroutine that was woken by the poller and goes on for long is not
// interrupted, if all processors are busy with such ones. It does wake up when a timer of the
// runtime's is due. So one is set as long as calls are not told: then sysmon looks at what is
// going on after maxNap at the latest, and stays awake while a processor is busy. That timer
// has a price, too, and wakes a processor each time. So there is none, and all is told, until
// there are many calls; and again when there was none between two ticks.
type brief struct {
	state atomic.Int32
	used  atomic.Bool  // since the last tick
	told  atomic.Int32 // calls

	// guarded by state, as arming is
	timer *time.Timer
	since time.Time // when the last manyCalls began
}

// States of brief.
const (
	telling int32 = iota
	arming
	silent
)

const (
	maxNap    = 20 * time.Millisecond
	manyCalls = 64
	shortTime = 64 * time.Millisecond // for many calls
)

var calls brief

// untold reports whether the scheduler need not be told of the next call.
func (b *brief) untold() bool {
	if b.state.Load() != silent {
		if b.told.Add(1)%manyCalls == 0 {
			b.arm()
		}
		return false // also after arm: sysmon may be asleep for longer than maxNap
	}
	if !b.used.Load() {
		b.used.Store(true)
	}
	return true
}

// arm sets the timer if there were many calls in a short time.
func (b *brief) arm() {
	if !b.state.CompareAndSwap(telling, arming) {
		return
	}
	now := time.Now()
	many := now.Sub(b.since) < shortTime
	b.since = now
	if !many || bubble.Inside() { // a bubble's timer does not leave it
		b.state.Store(telling)
		return
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(math.MaxInt64, b.tick)
	}
	b.used.Store(true)
	b.timer.Reset(maxNap)
	b.state.Store(silent)
}

// tick sets the timer again if it is needed. Until it has run, a processor is busy, and
// sysmon is awake.
func (b *brief) tick() {
	if b.used.Swap(false) {
		b.timer.Reset(maxNap)
		return
	}
	b.state.Store(telling)
}
