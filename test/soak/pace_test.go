package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoMoreClientsThanTheMachineCanServe(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		each time.Duration
		want int
	}{
		{"a fast machine takes all", 2000, 2 * time.Millisecond, 2000},
		{"the race detector takes fewer", 150, 100 * time.Millisecond, 100},
		{"a share of a processor takes a few", 150, 1300 * time.Millisecond, 7},
		{"one remains at least", 150, time.Minute, 1},
		{"nothing was measured", 150, 0, 150},
	} {
		if got := fit(tt.n, tt.each); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestClientsComeNoFasterThanTheirHandshakes(t *testing.T) {
	for _, tt := range []struct {
		name      string
		n         int
		each, all time.Duration
		want      time.Duration
	}{
		{"a fast machine", 150, time.Millisecond, time.Minute, 600 * time.Millisecond},
		{"a slow one", 100, 100 * time.Millisecond, time.Minute, 10 * time.Second},
		{"a short run", 100, 100 * time.Millisecond, 20 * time.Second, 5 * time.Second},
	} {
		if got := spread(tt.n, tt.each, tt.all); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAPulseThatIsOnTimeIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p.beat(ctx)
		if p.late() != 0 {
			t.Errorf("late by %v", p.late())
		}
	})
}
