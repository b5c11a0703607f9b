package alarm

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// kernel has the timers of the process.
var kernel descriptor

// linger is how long the descriptor and its goroutine stay after the last timer: a process
// whose only connection is followed by another does not need new ones.
const linger = 100 * time.Millisecond

// descriptor is a timerfd, set to when the first of the timers is due, and a goroutine that
// waits for it. Neither is there while nothing is set.
type descriptor struct {
	mu      sync.Mutex
	timers  []*Timer // those that are set
	file    *os.File // nil: there is no goroutine
	fd      uintptr  // of file
	next    time.Time
	refused bool // the descriptor could not be waited for
}

// add sets t, and reports whether it could.
func (k *descriptor) add(t *Timer, d time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refused || k.file == nil && !k.open() {
		return false
	}
	now := time.Now()
	t.due = now.Add(d)
	if !t.set {
		t.set = true
		k.timers = append(k.timers, t)
	}
	if k.next.IsZero() || t.due.Before(k.next) {
		k.arm(t.due, now)
	}
	return true
}

// remove takes t out, and reports whether it was set.
func (k *descriptor) remove(t *Timer) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := t.set
	if was {
		t.set = false
		i := slices.Index(k.timers, t)
		k.timers = slices.Delete(k.timers, i, i+1)
	}
	return was
}

// open begins.
func (k *descriptor) open() bool {
	const monotonic, closeOnExec, nonBlocking = 1, syscall.O_CLOEXEC, syscall.O_NONBLOCK
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, closeOnExec|nonBlocking, 0)
	if errno != 0 {
		return false
	}
	k.fd, k.file, k.next = fd, os.NewFile(fd, "timer"), time.Time{}
	go k.run(k.file)
	return true
}

// arm has the descriptor be readable when it is due.
func (k *descriptor) arm(due, now time.Time) {
	k.next = due
	spec := [2]syscall.Timespec{1: syscall.NsecToTimespec(max(int64(due.Sub(now)), 1))}
	syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, k.fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// run calls what is due, until nothing has been set for a while.
func (k *descriptor) run(file *os.File) {
	defer file.Close()
	var expirations [8]byte
	for idle := false; ; {
		_, err := file.Read(expirations[:])
		k.mu.Lock()
		now := time.Now()
		called := k.fire(now)
		switch {
		case err != nil:
			k.surrender(now)
		case len(k.timers) > 0:
			k.arm(k.first(), now)
			idle = false
		case called || !idle:
			k.arm(now.Add(linger), now)
			idle = true
		default:
			k.file = nil
		}
		over := k.file == nil
		k.mu.Unlock()
		if over {
			return
		}
	}
}

// fire calls what is due, and reports whether anything was. k.mu is held.
func (k *descriptor) fire(now time.Time) (any bool) {
	for {
		i := slices.IndexFunc(k.timers, func(t *Timer) bool { return !t.due.After(now) })
		if i < 0 {
			return any
		}
		t := k.timers[i]
		k.timers = slices.Delete(k.timers, i, i+1)
		t.set, any = false, true
		go t.f()
	}
}

// surrender leaves what is set to the runtime's timers: the descriptor cannot be waited for.
func (k *descriptor) surrender(now time.Time) {
	for _, t := range k.timers {
		t.set = false
		t.soft.Store(time.AfterFunc(t.due.Sub(now), t.f))
	}
	k.timers, k.file, k.refused = nil, nil, true
}

// first returns when the first timer is due.
func (k *descriptor) first() time.Time {
	first := k.timers[0].due
	for _, t := range k.timers[1:] {
		if t.due.Before(first) {
			first = t.due
		}
	}
	return first
}
