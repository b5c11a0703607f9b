package wheel

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// jump has d pass for the wheel at once: no turn of it happens in between, as after a
// machine was suspended, or when a process got no processor for long.
func (w *Wheel) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start = w.start.Add(-d)
}

// once is a task that notes, by the wheel's own time, when it was called.
type once struct {
	w     *Wheel
	from  time.Duration // the wheel's time when it was scheduled
	calls []time.Duration
}

func (o *once) Tick() time.Duration {
	o.calls = append(o.calls, time.Duration(o.w.Now()))
	return 0
}

// elapsed is the exact time of the wheel.
func (w *Wheel) elapsed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.start)
}

// TestNoJumpOfTheClockSkipsOrRepeatsATask: shorter than the wheel's round, as long, and
// longer by any number of rounds.
func TestNoJumpOfTheClockSkipsOrRepeatsATask(t *testing.T) {
	round := slots * Tick
	jumps := []time.Duration{
		Tick - 1, Tick, 10 * Tick, round - Tick, round, round + Tick, 3*round - 1, 7 * round, time.Hour, 1000 * time.Hour,
	}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			var w Wheel
			var delays []time.Duration
			var tasks []*once
			for range 60 {
				for range 5 {
					d := time.Duration(rng.Int64N(int64(jumps[rng.IntN(len(jumps))]))) + 1
					o := &once{w: &w}
					w.Schedule(new(Entry), o, d)
					o.from = w.elapsed()
					delays, tasks = append(delays, d), append(tasks, o)
				}
				w.jump(jumps[rng.IntN(len(jumps))])
				time.Sleep(2 * Tick) // the turn after it
				synctest.Wait()
				now := w.elapsed()
				for i, o := range tasks {
					due := o.from + delays[i]
					switch {
					case len(o.calls) > 1:
						t.Fatalf("seed %d: called at %v", seed, o.calls)
					case len(o.calls) == 0 && due+4*Tick < now:
						t.Fatalf("seed %d: due at %v, not called at %v", seed, due, now)
					case len(o.calls) == 1 && o.calls[0]+Tick < due:
						t.Fatalf("seed %d: due at %v, called at %v", seed, due, o.calls[0])
					}
				}
			}
			w.jump(2000 * time.Hour)
			time.Sleep(2 * Tick)
			synctest.Wait()
			for i, o := range tasks {
				if len(o.calls) != 1 {
					t.Errorf("seed %d: task %d was called %d times", seed, i, len(o.calls))
				}
			}
			if n := w.Len(); n != 0 || w.timer != nil {
				t.Errorf("%d are scheduled, timer %v", n, w.timer)
			}
		})
	}
}

// TestATaskThatComesAgainComesOnceAfterAJump: what was missed is not made up for.
func TestATaskThatComesAgainComesOnceAfterAJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Wheel
		var e Entry
		tk := &task{began: time.Now()}
		for range 100 {
			tk.again = append(tk.again, time.Minute)
		}
		w.Schedule(&e, tk, time.Minute)
		for i := range 50 {
			w.jump(time.Duration(i+1) * time.Hour)
			time.Sleep(2 * Tick)
			synctest.Wait()
			if len(tk.calls) != i+1 {
				t.Fatalf("%d calls after %d jumps", len(tk.calls), i+1)
			}
		}
		w.Cancel(&e)
		if w.Len() != 0 || w.timer != nil {
			t.Error("something is left")
		}
	})
}
