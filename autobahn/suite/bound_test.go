package suite

import (
	"testing"
	"time"
)

func TestABoundCountsEveryWaitOfACase(t *testing.T) {
	for name, tt := range map[string]struct {
		c        Case
		slowness float64
		want     time.Duration
	}{
		"an ordinary case":       {Case{}, 1, openTimeout + giveUp + lingerTime},
		"one that exchanges":     {Case{lasts: time.Minute}, 1, openTimeout + time.Minute + giveUp + lingerTime},
		"one that is slowed":     {Case{lasts: time.Minute}, 3, openTimeout + 3*(time.Minute+giveUp) + lingerTime},
		"one that is quickened":  {Case{}, 0.5, openTimeout + giveUp/2 + lingerTime},
		"one that has patience":  {Case{patience: time.Second}, 1, openTimeout + time.Second + giveUp + lingerTime},
		"one whose frames abide": {Case{KillAfter: time.Second}, 1, openTimeout + giveUp + lingerTime},
	} {
		if got := tt.c.Bound(tt.slowness); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestABoundOfARunDependsOnWhatRunsAtOnce(t *testing.T) {
	one := (&Case{}).Bound(1)
	for parallel, want := range map[int]time.Duration{1: 16*one + one, 4: 4*one + one, 16: 2 * one} {
		got, err := Options{URL: "ws://localhost", Cases: []string{"1.*"}, Parallel: parallel}.Bound()
		if err != nil || got != want {
			t.Errorf("%d at once: %v, %v, want %v", parallel, got, err, want)
		}
	}
	for name, o := range map[string]Options{
		"no URL": {Cases: []string{"1.*"}}, "cases of clients": {URL: "ws://localhost", Cases: []string{"21.*"}},
	} {
		if _, err := o.Bound(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
