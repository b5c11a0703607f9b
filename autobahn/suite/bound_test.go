package suite

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestABoundCountsEveryWaitOfACase(t *testing.T) {
	const always = openTimeout + slack + lingerTime
	const closing = replyTimeout + dropTimeout
	for name, tt := range map[string]struct {
		c    Case
		pace pace
		want time.Duration
	}{
		"a case without waits":       {Case{}, pace{slowness: 1}, always + closing},
		"an ordinary case":           {Case{KillAfter: time.Second}, pace{slowness: 1}, always + time.Second + closing},
		"one that exchanges":         {Case{lasts: time.Minute}, pace{slowness: 1}, always + time.Minute + closing},
		"one that is slowed":         {Case{lasts: time.Minute}, pace{slowness: 3}, always + 3*(time.Minute+closing)},
		"one that is quickened":      {Case{}, pace{slowness: 0.5}, always + closing/2},
		"one that has patience":      {Case{patience: time.Second}, pace{slowness: 1}, always + time.Second + closing},
		"one of a slow peer":         {Case{}, pace{1, time.Second}, always + closing + 4*time.Second},
		"one with a pong and a text": {Case{Outcomes: ok(pong(""), message(""))}, pace{1, time.Second}, always + closing + 8*time.Second},
		"one with waits of its own": {
			Case{waits: []time.Duration{time.Second, 2 * time.Second}, limit: 3 * time.Second, CloseAfter: time.Second},
			pace{slowness: 1}, always + 7*time.Second + closing,
		},
		"one with rounds and a slow peer": {Case{lasts: time.Minute, rounds: 10}, pace{1, time.Second}, always + time.Minute + closing + 16*time.Second},
	} {
		if got := tt.c.Bound(tt.pace.slowness, tt.pace.latency); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestABoundOfARunDependsOnWhatRunsAtOnce(t *testing.T) {
	cases := slices.Repeat([]Case{{KillAfter: time.Second}}, 16)
	one := cases[0].Bound(1, 0)
	for parallel, want := range map[int]time.Duration{1: 16*one + one, 4: 4*one + one, 16: 2 * one} {
		plan := Options{Parallel: parallel}.Plan(cases)
		if plan.Bound != want || plan.Longest != one || plan.Cases != 16 || plan.Usual <= 0 || plan.Usual > time.Second {
			t.Errorf("%d at once: %+v, want a bound of %v", parallel, plan, want)
		}
	}
}

// TestBoundsAreOfUse: nothing but the original's long exchanges may take longer than half a minute.
func TestBoundsAreOfUse(t *testing.T) {
	for _, c := range append(Cases(), Beyond()...) {
		most := 30 * time.Second
		switch {
		case IsBeyond(c.ID) && c.lasts > 0:
			most = 90 * time.Second
		case c.lasts > 0:
			most = c.lasts + 30*time.Second
		}
		if got := c.Bound(1, time.Millisecond); got > most {
			t.Errorf("%s: %v", c.ID, got)
		}
	}
	cases, err := Select([]string{"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "beyond"})
	if err != nil {
		t.Fatal(err)
	}
	if plan := (Options{Parallel: 128, Latency: time.Millisecond}).Plan(cases); plan.Bound > 3*time.Minute || plan.Usual > 10*time.Second {
		t.Errorf("%+v", plan)
	}
}

// TestNoCaseIsGivenUpBeforeItsWaitsAreOver, of whoever says nothing, or answers nothing but the opening handshake.
func TestNoCaseIsGivenUpBeforeItsWaitsAreOver(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for every case to fail")
	}
	const slowness = 0.3
	o := Options{
		URL: sloppyServer(t, agreeing), Slowness: slowness, Latency: time.Millisecond,
		Cases: []string{"1.1.1", "2.*", "3.*", "5.*", "6.1.*", "6.4.*", "7.1.*", "7.3.*", "10.*", "20.5.*", "22.*", "26.2.*", "27.*", "28.*"},
	}
	rep, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := SelectFor(ServerRole, o.Cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rep.Results {
		if why := r.WasNotCleanReason; why != nil && strings.Contains(*why, "nobody ended") {
			t.Errorf("%s was given up: %s", r.ID, r.Explain(30))
		}
		if bound := cases[i].Bound(slowness, o.Latency); r.Duration > bound {
			t.Errorf("%s took %v, of %v", r.ID, r.Duration, bound)
		}
	}
}
