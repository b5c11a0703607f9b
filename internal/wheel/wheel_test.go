package wheel

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// task records when it was called, and asks to be called again as told.
type task struct {
	began time.Time
	calls []time.Duration
	again []time.Duration
	act   func()
}

func (t *task) Tick() time.Duration {
	t.calls = append(t.calls, time.Since(t.began))
	if t.act != nil {
		t.act()
	}
	if len(t.again) == 0 {
		return 0
	}
	d := t.again[0]
	t.again = t.again[1:]
	return d
}

func TestTasksAreCalledWithinTwoTicksAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Wheel
		delays := []time.Duration{1, Tick, 3 * Tick / 2, 30 * time.Second, slots * Tick, 3*slots*Tick + 1, time.Hour}
		entries := make([]Entry, len(delays))
		tasks := make([]*task, len(delays))
		for i, d := range delays {
			tasks[i] = &task{began: time.Now()}
			w.Schedule(&entries[i], tasks[i], d)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for i, d := range delays {
			if c := tasks[i].calls; len(c) != 1 || c[0] < d || c[0] > d+2*Tick {
				t.Errorf("after %v: called at %v", d, c)
			}
		}
		if w.timer != nil {
			t.Error("an empty wheel has a timer")
		}
	})
}

func TestATaskMayAskToBeCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Wheel
		var e Entry
		tk := &task{began: time.Now(), again: []time.Duration{time.Second, time.Minute}}
		w.Schedule(&e, tk, time.Second)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(tk.calls) != 3 || tk.calls[2] < 62*time.Second || tk.calls[2] > 62*time.Second+6*Tick {
			t.Errorf("called at %v", tk.calls)
		}
		if now := time.Duration(w.Now()); now < time.Minute {
			t.Errorf("the clock stands at %v", now)
		}
	})
}

func TestTasksAreCancelledAndMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Wheel
		var a, b, c Entry
		ta, tb, tc := &task{began: time.Now()}, &task{began: time.Now()}, &task{began: time.Now()}
		tc.act = func() { w.Cancel(&c); w.Cancel(&a) }
		tc.again = []time.Duration{time.Second}
		w.Schedule(&a, ta, time.Second)
		w.Schedule(&b, tb, time.Second)
		w.Schedule(&c, tc, time.Second)
		w.Schedule(&b, tb, time.Minute)
		w.Cancel(&a)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(ta.calls) != 0 || len(tb.calls) != 1 || tb.calls[0] < time.Minute || len(tc.calls) != 1 {
			t.Errorf("called at %v, %v, %v", ta.calls, tb.calls, tc.calls)
		}
		w.Schedule(&a, ta, time.Second) // the wheel begins again
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(ta.calls) != 1 {
			t.Error("not called after a pause")
		}
	})
}

// TestAWheelOutlivesABubble: the next one begins earlier in time.
func TestAWheelOutlivesABubble(t *testing.T) {
	var w Wheel
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			var e Entry
			rang := make(chan struct{})
			began, before := time.Now(), w.Now()
			w.Schedule(&e, taskFunc(func() time.Duration { close(rang); return 0 }), time.Minute)
			<-rang
			if d := time.Since(began); d < time.Minute || d > time.Minute+2*Tick {
				t.Errorf("after %v", d)
			}
			if w.Now() < before+int64(time.Minute) {
				t.Errorf("the clock went from %d to %d", before, w.Now())
			}
		})
	}
}

type taskFunc func() time.Duration

func (f taskFunc) Tick() time.Duration { return f() }

// TestTimeLeapsBetweenBubblesAndTheMachine: a process's tests may run in bubbles, which
// begin in the year 2000, and outside of them in turns.
func TestTimeLeapsBetweenBubblesAndTheMachine(t *testing.T) {
	var w Wheel
	use := func(t *testing.T) {
		var e Entry
		before := w.Now()
		w.Schedule(&e, new(task), time.Hour)
		if after := w.Now(); after < before || after-before > int64(leap) {
			t.Errorf("the wheel turned from %v to %v", time.Duration(before), time.Duration(after))
		}
		w.Cancel(&e)
	}
	for range 50 {
		use(t)
		synctest.Test(t, use)
	}
}

// TestAStopOfTheProcessIsSeen when it is over, and neither a tick nor a few of them is taken for one.
func TestAStopOfTheProcessIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Wheel
		var e Entry
		w.Schedule(&e, &task{}, time.Hour)
		defer w.Cancel(&e)
		time.Sleep(time.Minute)
		w.jump((stall - 1) * Tick)
		time.Sleep(time.Second)
		if at := w.Resumed(); at != 0 {
			t.Errorf("a stop was seen at %v", time.Duration(at))
		}
		w.jump(10 * time.Minute)
		before := w.elapsed()
		time.Sleep(time.Second)
		synctest.Wait()
		if at := time.Duration(w.Resumed()); at < before-Tick || at > before+2*Tick {
			t.Errorf("the stop was seen at %v, want about %v", at, before)
		}
	})
}

// TestTheLongestAndTheShortestTime: neither end of the range of a duration overflows.
func TestTheLongestAndTheShortestTime(t *testing.T) {
	for _, d := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, Longest, 0, -1, math.MinInt64} {
		synctest.Test(t, func(t *testing.T) {
			var w Wheel
			var e Entry
			tk := &task{began: time.Now()}
			w.Schedule(&e, tk, d)
			time.Sleep(time.Minute)
			synctest.Wait()
			if called := len(tk.calls) == 1; called != (d <= 0) {
				t.Errorf("%v: called %v", d, called)
			}
			w.Cancel(&e)
		})
	}
}
