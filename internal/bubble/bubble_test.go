package bubble

import (
	"testing"
	"testing/synctest"
)

func TestInside(t *testing.T) {
	if Inside() {
		t.Error("outside of a bubble: true")
	}
	synctest.Test(t, func(t *testing.T) {
		if !Inside() {
			t.Error("in a bubble: false")
		}
	})
}
