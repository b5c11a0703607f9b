//go:build linux && !386 && !s390x && !race && !msan && !asan

package wire

import (
	"math"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/seed-c4549abd/wss/internal/bubble"
)

// receive and send read and write a socket without waiting. recvfrom and sendto do less than read and write, which have
// to do for every kind of file. While there are many calls they bypass entersyscall: docs/raw-calls.md says why, and
// what it takes. The race detector, msan and asan know the calls of package syscall only.

func receive(fd uintptr, p []byte) (int, error) { return message(syscall.SYS_RECVFROM, fd, p) }
func send(fd uintptr, p []byte) (int, error)    { return message(syscall.SYS_SENDTO, fd, p) }

// message makes a call with p, without an address and without waiting.
func message(call, fd uintptr, p []byte) (int, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	var n uintptr
	var errno syscall.Errno
	if b := unsafe.SliceData(p); calls.raw() {
		n, _, errno = syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(b)), uintptr(len(p)), flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(call, fd, uintptr(unsafe.Pointer(b)), uintptr(len(p)), flags, 0, 0)
	}
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// rawVar is the environment variable that turns raw calls off.
const rawVar = "WSS_RAW_CALLS"

// calls decides for the whole process.
var calls = newRawCalls(os.Getenv(rawVar))

// rawCalls decides which calls are raw. entersyscall wakes sysmon, the runtime's monitor thread, if the process was
// asleep before. Without sysmon a goroutine that does not yield is not preempted while all processors are busy. But
// sysmon also wakes when a timer is due: so one is set as long as calls are raw, and sysmon looks after the process within
// timerPeriod. The timer costs, too. So there is none, and no call is raw, until there are many calls; and again when there
// was none between two ticks.
type rawCalls struct {
	state atomic.Int32
	used  atomic.Bool  // a raw call was made since the last tick
	count atomic.Int32 // of calls that were not raw

	// guarded by state
	timer *time.Timer
	since time.Time // when the last manyCalls began
}

// States of rawCalls.
const (
	notRaw int32 = iota
	starting
	raw
	off // for good
)

const (
	timerPeriod = 20 * time.Millisecond
	manyCalls   = 64
	shortTime   = 64 * time.Millisecond // for many calls
)

// newRawCalls returns one that is off for good if the environment says 0.
func newRawCalls(env string) *rawCalls {
	r := new(rawCalls)
	if env == "0" {
		r.state.Store(off)
	}
	return r
}

// raw reports whether the next call is to be raw.
func (r *rawCalls) raw() bool {
	switch r.state.Load() {
	case raw:
		if !r.used.Load() {
			r.used.Store(true)
		}
		return true
	case notRaw:
		if r.count.Add(1)%manyCalls == 0 {
			r.start()
		}
	}
	return false // also after start: sysmon may be asleep for longer than timerPeriod
}

// start sets the timer if there were many calls in a short time.
func (r *rawCalls) start() {
	if !r.state.CompareAndSwap(notRaw, starting) {
		return
	}
	now := time.Now()
	many := now.Sub(r.since) < shortTime
	r.since = now
	if !many || bubble.Inside() { // a bubble's timer does not leave it
		r.state.Store(notRaw)
		return
	}
	if r.timer == nil {
		r.timer = time.AfterFunc(math.MaxInt64, r.tick)
	}
	r.used.Store(true)
	r.timer.Reset(timerPeriod)
	r.state.Store(raw)
}

// tick sets the timer again if it is needed. Until it has run, a processor is busy, and sysmon is awake.
func (r *rawCalls) tick() {
	if r.used.Swap(false) {
		r.timer.Reset(timerPeriod)
		return
	}
	r.state.Store(notRaw)
}
