package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

func TestTheGroupHasToAgree(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*conn.GroupStats)
		want  string
	}{
		"it does":                         {func(*conn.GroupStats) {}, ""},
		"one is active":                   {func(g *conn.GroupStats) { g.Active = 1 }, "active"},
		"one more was opened":             {func(g *conn.GroupStats) { g.Opened++ }, "opened"},
		"one more was refused":            {func(g *conn.GroupStats) { g.Refused++ }, "refused"},
		"a code more":                     {func(g *conn.GroupStats) { g.Codes[1001]++ }, "ends by codes"},
		"another token":                   {func(g *conn.GroupStats) { g.Tokens = map[string]int64{"local": 1} }, "ends by codes and tokens"},
		"a drop more":                     {func(g *conn.GroupStats) { g.Dropped++ }, "the sums"},
		"more on the wire than there was": {func(g *conn.GroupStats) { g.WireOut++ }, "the sums"},
	} {
		l := settledLife(t, 5)
		sums := newTally()
		sums.add(l, nil)
		g := conn.GroupStats{
			Opened: 1, Codes: map[conn.StatusCode]int64{1000: 1}, Tokens: map[string]int64{"peer": 1}, Stats: l.server.stats,
		}
		tt.spoil(&g)
		sums.judgeGroup(g)
		got := strings.Join(sums.findings, "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

func TestFindingsAreNamedAndCounted(t *testing.T) {
	var out bytes.Buffer
	s := &soak{out: &out, tally: newTally(), options: options{seed: 42}}
	s.verdict()
	for i := range maxFindings + 2 {
		s.tally.find("number %d", i)
	}
	s.verdict()
	for _, want := range []string{"ok: all is accounted for (seed 42)", "FINDING: number 39", "and 2 more", "FAILED: 42 findings (seed 42)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, &out)
		}
	}
}

func TestLeaksAreFound(t *testing.T) {
	before := usage{10 << 20, 5, 12}
	for _, tt := range []struct {
		after usage
		ok    bool
	}{
		{before, true},
		{usage{before.heap + heapTolerance, 5, 12}, true},
		{usage{before.heap + heapTolerance + 1, 5, 12}, false},
		{usage{before.heap, 6, 12}, false},
		{usage{before.heap, 5, 13}, false},
	} {
		s := &soak{out: &bytes.Buffer{}, tally: newTally(), before: before, after: tt.after}
		if s.judgeUsage(); (s.tally.found == 0) != tt.ok {
			t.Errorf("%v: found %q", tt.after, s.tally.findings)
		}
	}
}
