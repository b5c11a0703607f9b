package alarm

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAfterFuncCallsOnceWhenItIsTime(t *testing.T) {
	const d = 30 * time.Millisecond
	began := time.Now()
	calls := make(chan time.Duration, 2)
	AfterFunc(d, func() { calls <- time.Since(began) })
	if took := <-calls; took < d {
		t.Errorf("called after %v, want %v at least", took, d)
	}
	select {
	case <-calls:
		t.Error("called twice")
	case <-time.After(3 * d):
	}
}

func TestTheSoonestIsCalledFirst(t *testing.T) {
	order := make(chan int, 3)
	for i, d := range []time.Duration{60, 20, 40} {
		AfterFunc(d*time.Millisecond, func() { order <- i })
	}
	for _, want := range []int{1, 2, 0} {
		if got := <-order; got != want {
			t.Errorf("timer %d was called, want %d", got, want)
		}
	}
}

func TestStop(t *testing.T) {
	var calls atomic.Int32
	stopped := AfterFunc(10*time.Millisecond, func() { calls.Add(1) })
	if !stopped.Stop() {
		t.Error("Stop of a timer that is set: false")
	}
	if stopped.Stop() {
		t.Error("Stop of a timer that was stopped: true")
	}
	called := make(chan struct{})
	other := AfterFunc(20*time.Millisecond, func() { close(called) })
	<-called
	if other.Stop() {
		t.Error("Stop of a timer that was called: true")
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("called %d times although it was stopped", n)
	}
}

func TestResetWithinItsCallAndBefore(t *testing.T) {
	const times = 5
	done := make(chan struct{})
	var timer *Timer
	ready := make(chan struct{})
	n := 0
	timer = AfterFunc(time.Millisecond, func() {
		<-ready
		if n++; n == times {
			close(done)
			return
		}
		timer.Reset(time.Millisecond)
	})
	close(ready)
	<-done

	began := time.Now()
	called := make(chan time.Duration, 1)
	late := AfterFunc(time.Hour, func() { called <- time.Since(began) })
	late.Reset(20 * time.Millisecond)
	if took := <-called; took < 20*time.Millisecond {
		t.Errorf("called after %v", took)
	}
}

func TestManyGoroutines(t *testing.T) {
	const each = 200
	var called, stopped atomic.Int64
	done := make(chan struct{})
	for g := range 8 {
		go func() {
			for i := range each {
				timer := AfterFunc(time.Duration(i%3)*time.Millisecond, func() { called.Add(1) })
				if (i+g)%2 == 0 && timer.Stop() {
					stopped.Add(1)
				}
			}
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	for end := time.Now().Add(10 * time.Second); called.Load()+stopped.Load() != 8*each; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d called and %d stopped, want %d in all", called.Load(), stopped.Load(), 8*each)
		}
	}
}

// TestBubble has timers follow the bubble's clock.
func TestBubble(t *testing.T) {
	if InBubble() {
		t.Error("InBubble outside: true")
	}
	synctest.Test(t, func(t *testing.T) {
		if !InBubble() {
			t.Error("InBubble: false")
		}
		began := time.Now()
		called := make(chan time.Duration)
		timer := AfterFunc(time.Hour, func() { called <- time.Since(began) })
		if took := <-called; took != time.Hour {
			t.Errorf("called after %v, want an hour", took)
		}
		timer.Reset(time.Hour)
		if took := <-called; took != 2*time.Hour {
			t.Errorf("called again after %v, want two hours", took)
		}
		timer.Reset(time.Hour)
		if !timer.Stop() {
			t.Error("Stop: false")
		}
	})
}
