package main

import (
	"maps"
	"slices"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// verdict is what a suite says about a case.
type verdict struct{ behavior, closing report.Behavior }

func (v verdict) String() string { return string(v.behavior) + ", " + string(v.closing) }

// history is what both suites said about one case, once for each time that it was run.
type history struct{ original, ours []verdict }

// relation is how the two suites compare in a case.
type relation int

const (
	equal relation = iota
	// unsteady: one of them says now this and now that, and the other has said the same at some time.
	unsteady
	// different: nothing that one has said was said by the other.
	different
)

// relation compares. A suite without a verdict is different from one with.
func (h history) relation() relation {
	both := slices.Concat(h.original, h.ours)
	if len(h.original) == len(h.ours) && len(slices.Compact(both)) == 1 {
		return equal
	}
	if slices.ContainsFunc(h.original, func(v verdict) bool { return slices.Contains(h.ours, v) }) {
		return unsteady
	}
	return different
}

// comparison holds the histories of all cases of a testee in one role.
type comparison map[string]*history

// add notes a run of both suites.
func (c comparison) add(ids []string, original, ours *report.Report) {
	for _, id := range ids {
		h := c[id]
		if h == nil {
			h = &history{}
			c[id] = h
		}
		h.original = appendVerdict(h.original, original, id)
		h.ours = appendVerdict(h.ours, ours, id)
	}
}

func appendVerdict(to []verdict, r *report.Report, id string) []verdict {
	if found, ok := r.Cases[id]; ok {
		return append(to, verdict{found.Behavior, found.BehaviorClose})
	}
	return to
}

// those returns the cases of a relation, in the suite's order.
func (c comparison) those(r relation) []string {
	found := maps.Collect(func(yield func(string, bool) bool) {
		for id, h := range c {
			if h.relation() == r && !yield(id, true) {
				return
			}
		}
	})
	return slices.DeleteFunc(report.AllCases(), func(id string) bool { return !found[id] })
}
