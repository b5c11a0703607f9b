package main

import (
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

func TestRepetitionTellsTheUnsteadyApart(t *testing.T) {
	ok, failed, strict := verdict{report.OK, report.OK}, verdict{report.Failed, report.Unclean}, verdict{report.NonStrict, report.OK}
	for _, tt := range []struct {
		name           string
		original, ours []verdict
		want           relation
	}{
		{"the same once", []verdict{ok}, []verdict{ok}, equal},
		{"the same always", []verdict{failed, failed}, []verdict{failed, failed}, equal},
		{"another verdict", []verdict{ok}, []verdict{failed}, different},
		{"another closing", []verdict{ok}, []verdict{{report.OK, report.WrongCode}}, different},
		{"another verdict always", []verdict{ok, ok}, []verdict{failed, failed}, different},
		{"the original wavers", []verdict{ok, failed, ok}, []verdict{failed, failed, failed}, unsteady},
		{"ours wavers", []verdict{ok, ok}, []verdict{failed, ok}, unsteady},
		{"both waver, and never meet", []verdict{ok, strict}, []verdict{failed, failed}, different},
		{"the original has none", nil, []verdict{ok}, different},
		{"ours has none", []verdict{ok}, nil, different},
	} {
		if got := (history{tt.original, tt.ours}).relation(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func reported(verdicts map[string]verdict) *report.Report {
	r := &report.Report{Cases: map[string]report.Case{}}
	for id, v := range verdicts {
		r.Cases[id] = report.Case{ID: id, Behavior: v.behavior, BehaviorClose: v.closing}
	}
	return r
}

func TestComparisonsAccumulate(t *testing.T) {
	ok, failed := verdict{report.OK, report.OK}, verdict{report.Failed, report.OK}
	c := comparison{}
	c.add([]string{"1.1.1", "10.1.1", "2.1"},
		reported(map[string]verdict{"1.1.1": ok, "10.1.1": ok, "2.1": ok}),
		reported(map[string]verdict{"1.1.1": ok, "10.1.1": failed}))
	if got := c.those(different); !slices.Equal(got, []string{"2.1", "10.1.1"}) {
		t.Errorf("different: %q", got)
	}
	c.add([]string{"10.1.1"}, reported(map[string]verdict{"10.1.1": failed}), reported(map[string]verdict{"10.1.1": failed}))
	for r, want := range map[relation][]string{equal: {"1.1.1"}, unsteady: {"10.1.1"}, different: {"2.1"}} {
		if got := c.those(r); !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}
