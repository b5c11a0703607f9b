//go:build linux && !386 && !s390x && !race

package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestManyCallsAreNotTold, until there are none.
func TestManyCallsAreNotTold(t *testing.T) {
	var b brief
	for n := 0; !b.untold(); n++ {
		if n > 100*manyCalls {
			t.Fatal("told of every call")
		}
	}
	if b.timer == nil { // which may have ticked: this goroutine may have been kept waiting
		t.Error("a call was not told, and no timer set")
	}
	for end := time.Now().Add(time.Minute); b.state.Load() != telling; time.Sleep(maxNap) {
		if time.Now().After(end) {
			t.Fatal("the timer ticks although nobody calls")
		}
	}
	if b.untold() {
		t.Error("the first call after silence was not told")
	}
}

// TestCallsNowAndThenAreTold: a timer would cost more.
func TestCallsNowAndThenAreTold(t *testing.T) {
	var b brief
	for n := range 3 * manyCalls {
		if n%(manyCalls/2) == 1 { // and not right behind the last of many, where the timer would have ticked
			time.Sleep(shortTime)
		}
		if b.untold() {
			t.Fatal("a call was not told")
		}
	}
}

// TestCallsInABubbleAreTold: its timer would end with it.
func TestCallsInABubbleAreTold(t *testing.T) {
	var b brief
	synctest.Test(t, func(t *testing.T) {
		for range 10 * manyCalls {
			if b.untold() {
				t.Fatal("a call was not told")
			}
		}
	})
}
