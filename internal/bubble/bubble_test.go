package bubble

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
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

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		for _, d := range []time.Duration{-time.Second, 0, time.Second} {
			if err := Sleep(ctx, d); err != nil {
				t.Error(err)
			}
		}
		if slept := time.Since(began); slept != time.Second {
			t.Errorf("slept for %v", slept)
		}
		for _, d := range []time.Duration{time.Hour, 0} { // the first lasts until ctx ends
			if err := Sleep(ctx, d); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if slept := time.Since(began); slept != time.Minute {
			t.Errorf("slept for %v", slept)
		}
	})
}
