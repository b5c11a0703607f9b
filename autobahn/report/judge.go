package report

import (
	"fmt"
	"maps"
	"slices"
)

// Problem is a case that did not pass.
type Problem struct {
	// ID is the case's.
	ID string
	// Missing says that the case was expected and is not in the report; Case is then zero.
	Missing bool
	// Unexpected says that the case is in the report, and nobody asked for it.
	Unexpected bool
	// Gone says that a golden file has a deviation that is no more: Known says which.
	Gone bool
	// Known is what a golden file has about the case, if that is not what came.
	Known *Deviation
	// Case is the outcome.
	Case Case
}

// String describes the problem on one line.
func (p Problem) String() string {
	switch {
	case p.Missing:
		return fmt.Sprintf("%s: missing: the suite has no result for it", p.ID)
	case p.Unexpected:
		return fmt.Sprintf("%s: unexpected: it is not among the cases asked for", p.ID)
	case p.Gone:
		return fmt.Sprintf("%s: passes: take it out of the golden file, which has %s, %s", p.ID, p.Known.Behavior, p.Known.BehaviorClose)
	}
	text := fmt.Sprintf("%s: behavior %s, close %s", p.ID, p.Case.Behavior, p.Case.BehaviorClose)
	if p.Case.CloseCode != 0 {
		text += fmt.Sprintf(" (%d)", p.Case.CloseCode)
	}
	if p.Known != nil {
		text += fmt.Sprintf("\n      The golden file has %s, %s.", p.Known.Behavior, p.Known.BehaviorClose)
	}
	for _, detail := range []string{p.Case.Description, p.Case.Result, p.Case.ResultClose} {
		if detail != "" {
			text += "\n      " + detail
		}
	}
	if p.Case.ByRFC != "" {
		text += fmt.Sprintf("\n      By the RFC alone: %s, %s. %s", p.Case.ByRFC, p.Case.ByRFCClose, p.Case.ResultByRFC)
	}
	return text
}

// Problems returns every expected case that did not pass or is missing, and every case that was not expected, in the
// suite's order. None means a pass. Use [AllCases] or [Match] for what to expect.
func (r *Report) Problems(expected []string) []Problem {
	problems := map[string]Problem{}
	for _, id := range expected {
		c, ok := r.Cases[id]
		switch {
		case !ok:
			problems[id] = Problem{ID: id, Missing: true}
		case !c.Passes():
			problems[id] = Problem{ID: id, Case: c}
		}
	}
	for id, c := range r.Cases {
		if !slices.Contains(expected, id) {
			problems[id] = Problem{ID: id, Unexpected: true, Case: c}
		}
	}
	return slices.SortedFunc(maps.Values(problems), func(a, b Problem) int { return compareIDs(a.ID, b.ID) })
}
