package suite

import (
	"testing"
	"time"
)

func TestABoundCountsEveryWaitOfACase(t *testing.T) {
	const open, end = openTimeout, lingerTime
	for name, tt := range map[string]struct {
		c    Case
		pace pace
		want time.Duration
	}{
		"an ordinary case":           {Case{}, pace{slowness: 1}, open + giveUp + end},
		"one that exchanges":         {Case{lasts: time.Minute}, pace{slowness: 1}, open + time.Minute + giveUp + end},
		"one that is slowed":         {Case{lasts: time.Minute}, pace{slowness: 3}, open + 3*(time.Minute+giveUp) + end},
		"one that is quickened":      {Case{}, pace{slowness: 0.5}, open + giveUp/2 + end},
		"one that has patience":      {Case{patience: time.Second}, pace{slowness: 1}, open + time.Second + giveUp + end},
		"one of a slow peer":         {Case{}, pace{1, time.Second}, open + giveUp + 2*time.Second + end},
		"one with a pong and a text": {Case{Outcomes: ok(pong(""), message(""))}, pace{1, time.Second}, open + giveUp + 4*time.Second + end},
	} {
		if got := tt.c.Bound(tt.pace.slowness, tt.pace.latency); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestABoundOfARunDependsOnWhatRunsAtOnce(t *testing.T) {
	cases, err := Select([]string{"1.*"})
	if err != nil {
		t.Fatal(err)
	}
	one := cases[0].Bound(1, 0)
	for parallel, want := range map[int]time.Duration{1: 16*one + one, 4: 4*one + one, 16: 2 * one} {
		o := Options{Parallel: parallel, Slowness: 1}
		if got := o.bound(cases); got != want {
			t.Errorf("%d at once: %v, want %v", parallel, got, want)
		}
	}
}
