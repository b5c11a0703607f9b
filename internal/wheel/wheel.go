// Package wheel runs many coarse, rarely firing timers from one: a connection's
// keepalive costs a list entry, not a timer of its own. While nothing is scheduled there
// is no timer at all.
package wheel

import (
	"sync"
	"sync/atomic"
	"time"
)

// Tick is the wheel's resolution.
const Tick = 100 * time.Millisecond

const slots = 512

// Longest is the longest time after which a task can be called.
const Longest = 100 * 365 * 24 * time.Hour

// stall is the delay of a turn, in ticks, from which on the process counts as suspended.
const stall = 5

// leap is longer than any process goes without a connection.
const leap = 5 * 365 * 24 * time.Hour

// Task is something to be done later. Tick is called without any lock of the
// wheel, one task after the other, so it must not block; it returns when it wants
// to be called again, or zero for never.
type Task interface {
	Tick() (again time.Duration)
}

// Entry is a task's place in a wheel. The zero value is ready for use. It must not
// be copied, and belongs to one wheel.
type Entry struct {
	task       Task
	next, prev *Entry
	due        int64 // tick
	scheduled  bool
}

// Wheel is a set of scheduled tasks. The zero value is empty and ready for use, by
// any number of goroutines.
type Wheel struct {
	mu    sync.Mutex
	slots [slots]*Entry
	count int
	tick  int64 // the last one that has been handled
	start time.Time
	timer *time.Timer // nil while nothing is scheduled
	turns bool        // turn is under way: it arms the timer when it ends
	now   atomic.Int64
	// resumed is when the last stall ended.
	resumed atomic.Int64
}

// Now returns the time of the last tick in nanoseconds since the wheel began to
// turn: a clock that costs one load, exact to a tick while anything is scheduled.
func (w *Wheel) Now() int64 { return w.now.Load() }

// Resumed returns the time (as Now) of the last turn that came half a second or more late, because the
// process was suspended or starved; zero if none did. Timeouts on peers should not count time before it.
func (w *Wheel) Resumed() int64 { return w.resumed.Load() }

// Schedule has t called after d, rounded up to the next tick, and after Longest if d is longer. An
// entry that is scheduled already is moved.
func (w *Wheel) Schedule(e *Entry, t Task, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(e)
	if w.timer == nil {
		w.begin()
	}
	e.task = t
	w.link(e, d)
}

// Cancel takes e out. Its task may be running still.
func (w *Wheel) Cancel(e *Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(e)
	e.task = nil
	if w.count == 0 && w.timer != nil && !w.turns {
		w.timer.Stop()
		w.timer = nil
	}
}

// Len returns how many entries are scheduled: none are when nothing is left behind.
func (w *Wheel) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// begin catches up with the time that passed while nothing was scheduled.
func (w *Wheel) begin() {
	// Time goes back from a testing/synctest bubble to the next, and leaps by decades from
	// one to a test without; the wheel does neither, or a dozen leaps later the
	// durations would overflow.
	passed := time.Duration(w.tick) * Tick
	if since := time.Since(w.start); w.start.IsZero() || since < passed || since > passed+leap {
		w.start = time.Now().Add(-time.Duration(w.tick) * Tick)
	}
	w.tick = int64(time.Since(w.start) / Tick)
	w.now.Store(w.tick * int64(Tick))
	w.arm()
}

func (w *Wheel) arm() {
	next := w.start.Add(time.Duration(w.tick+1) * Tick)
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(next), func() { w.turn(&timer) })
	w.timer = timer
}

func (w *Wheel) link(e *Entry, d time.Duration) {
	// On a busy machine the wheel turns late, and then catches up: count from the time
	// that it is.
	d = min(max(d, 0), Longest)
	e.due = max(w.tick, int64(time.Since(w.start)/Tick)) + 1 + int64((d+Tick-1)/Tick)
	head := &w.slots[e.due%slots]
	e.prev, e.next = nil, *head
	if *head != nil {
		(*head).prev = e
	}
	*head = e
	e.scheduled = true
	w.count++
}

func (w *Wheel) unlink(e *Entry) {
	if !e.scheduled {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		w.slots[e.due%slots] = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.next, e.prev, e.scheduled = nil, nil, false
	w.count--
}

// turn handles every tick up to now, and asks for the next one.
func (w *Wheel) turn(timer **time.Timer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != *timer {
		return // stopped as it fired
	}
	w.turns = true
	target := int64(time.Since(w.start) / Tick)
	if target-w.tick > stall {
		w.resumed.Store(target * int64(Tick))
	}
	var due []*Entry
	for n := min(target-w.tick, slots); n > 0; n-- {
		w.tick = target - n + 1
		for e := w.slots[w.tick%slots]; e != nil; {
			next := e.next
			if e.due <= target {
				w.unlink(e)
				due = append(due, e)
			}
			e = next
		}
	}
	w.tick = max(w.tick, target)
	w.now.Store(w.tick * int64(Tick))
	for _, e := range due {
		w.run(e)
	}
	w.turns = false
	if w.timer = nil; w.count > 0 {
		w.arm()
	}
}

// run calls one task with the lock released.
func (w *Wheel) run(e *Entry) {
	t := e.task
	if t == nil || e.scheduled {
		return // cancelled or moved by a task before it
	}
	w.mu.Unlock()
	again := t.Tick()
	w.mu.Lock()
	if again > 0 && !e.scheduled && e.task == t {
		w.link(e, again)
	}
}
