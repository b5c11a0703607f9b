package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// known is a difference whose cause has been found.
type known struct {
	testees []string // patterns
	cases   []string // patterns
	cause   string
}

// explain returns the cause of a difference, empty if it is not known.
func explain(t *testee, id string) string {
	for _, k := range causes {
		named, err := report.Match(k.cases)
		if err == nil && slices.Contains(named, id) && slices.ContainsFunc(k.testees, func(p string) bool { return matches(p, t.name) }) {
			return k.cause
		}
	}
	return ""
}

// outcome is a testee's comparison.
type outcome struct {
	testee
	comparison
}

// unexplained counts the differences without a known cause.
func (o *outcome) unexplained() (n int) {
	for _, id := range o.those(different) {
		if explain(&o.testee, id) == "" {
			n++
		}
	}
	return n
}

// failing counts the cases that do not pass, as the original has it at first.
func (o *outcome) failing() (n int) {
	for id, h := range o.comparison {
		if len(h.original) == 0 {
			n++
			continue
		}
		c := report.Case{ID: id, Behavior: h.original[0].behavior, BehaviorClose: h.original[0].closing}
		if !c.Passes() {
			n++
		}
	}
	return n
}

// writeTable writes Markdown: a line for each testee, then a line for each case in which the suites do not agree.
func writeTable(w io.Writer, outcomes []outcome) error {
	var b strings.Builder
	b.WriteString("| testee | role | cases | failing | equal | unsteady | different |\n|---|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d |\n", o.name, o.role, len(o.comparison), o.failing(),
			len(o.those(equal)), len(o.those(unsteady)), len(o.those(different)))
	}
	for _, r := range []struct {
		relation relation
		title    string
	}{{unsteady, "Unsteady"}, {different, "Different"}} {
		var rows strings.Builder
		for _, o := range outcomes {
			for _, id := range o.those(r.relation) {
				h := o.comparison[id]
				fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s | %s |\n", o.name, o.role, id, list(h.original), list(h.ours),
					explain(&o.testee, id))
			}
		}
		if rows.Len() > 0 {
			fmt.Fprintf(&b, "\n%s:\n\n| testee | role | case | original | ours | cause |\n|---|---|---|---|---|---|\n%s", r.title, &rows)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// list joins verdicts, and says how often one follows itself.
func list(verdicts []verdict) string {
	var parts []string
	for i := 0; i < len(verdicts); {
		n := 1
		for i+n < len(verdicts) && verdicts[i+n] == verdicts[i] {
			n++
		}
		part := verdicts[i].String()
		if n > 1 {
			part += fmt.Sprintf(" (%d times)", n)
		}
		parts = append(parts, part)
		i += n
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, "; ")
}
