//go:build linux && !386 && !s390x && !race && !msan && !asan

package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestManyCallsAreRaw, until there are none.
func TestManyCallsAreRaw(t *testing.T) {
	r := newRawCalls("")
	for n := 0; !r.raw(); n++ {
		if n > 100*manyCalls {
			t.Fatal("no call is raw")
		}
	}
	if r.timer == nil { // which may have ticked: this goroutine may have been kept waiting
		t.Error("a call is raw, and no timer set")
	}
	for end := time.Now().Add(time.Minute); r.state.Load() != notRaw; time.Sleep(timerPeriod) {
		if time.Now().After(end) {
			t.Fatal("the timer ticks although there are no calls")
		}
	}
	if r.raw() {
		t.Error("the first call after silence is raw")
	}
}

// TestCallsNowAndThenAreNotRaw: a timer would cost more.
func TestCallsNowAndThenAreNotRaw(t *testing.T) {
	r := newRawCalls("")
	for n := range 3 * manyCalls {
		if n%(manyCalls/2) == 1 { // and not right behind the last of many, where the timer would have ticked
			time.Sleep(shortTime)
		}
		if r.raw() {
			t.Fatal("a call is raw")
		}
	}
}

// TestCallsInABubbleAreNotRaw: its timer would end with it.
func TestCallsInABubbleAreNotRaw(t *testing.T) {
	r := newRawCalls("")
	synctest.Test(t, func(t *testing.T) {
		for range 10 * manyCalls {
			if r.raw() {
				t.Fatal("a call is raw")
			}
		}
	})
}

// TestTheEnvironmentTurnsRawCallsOff, and nothing but 0 does.
func TestTheEnvironmentTurnsRawCallsOff(t *testing.T) {
	for env, want := range map[string]bool{"0": false, "": true, "1": true} {
		r := newRawCalls(env)
		got := false
		for range 100 * manyCalls {
			got = got || r.raw()
		}
		if got != want {
			t.Errorf("%s=%q: raw calls: %v", rawVar, env, got)
		}
	}
}
