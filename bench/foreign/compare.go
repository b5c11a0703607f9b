package main

import (
	"fmt"
	"strings"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// compare makes a mark of every way of ours in every table and every other server: the
// ratio of the CPU time per message, round by round. An aim there is beside uWebSockets
// only: its ratio is to be at most 1.
func compare(r *report.Report) []report.Mark {
	var marks []report.Mark
	for i := range r.Tables {
		t := &r.Tables[i]
		for k := range t.Lines {
			if t.Lines[k].Kind != libs.Ours.String() {
				continue
			}
			for _, name := range append([]string{bare}, foreign...) {
				if other := t.Find(name); other != nil {
					marks = append(marks, mark(t, &t.Lines[k], other))
				}
			}
		}
	}
	return marks
}

func mark(t *report.Table, own, other *report.Line) report.Mark {
	m := report.Mark{
		Row: t.Row, Work: t.Title, Where: own.Name, Against: other.Name,
		Value: stats.Summarise(stats.Ratios(own.Rounds["cpu"], other.Rounds["cpu"])),
	}
	if other.Name != uws {
		return m
	}
	m.Goal, m.Limit, m.Verdict = "≤ 1 × "+uws, 1, report.NotMeasured
	if m.Value.N == 0 {
		return m
	}
	m.Verdict = report.Missed
	if m.Value.Median <= m.Limit {
		m.Verdict = report.Met
	}
	m.Close = m.Value.Q1 <= m.Limit && m.Limit < m.Value.Q3
	return m
}

// find returns the mark of a table's line beside another server; none is not measured.
func find(marks []report.Mark, t *report.Table, own, other string) report.Mark {
	for _, m := range marks {
		if m.Work == t.Title && m.Where == own && m.Against == other {
			return m
		}
	}
	return report.Mark{Verdict: report.NotMeasured}
}

// ratios is the table of all marks: a line for each way of ours in each table.
func ratios(r *report.Report) string {
	head := []string{"row", "work", "ours"}
	for _, name := range foreign {
		head = append(head, "÷ "+name)
	}
	lines := [][]string{append(head, "÷ bare crypto/tls", "at or below "+uws)}
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, l := range t.Lines {
			if l.Kind != libs.Ours.String() {
				continue
			}
			line := []string{t.Key, t.Title, l.Name}
			for _, name := range foreign {
				line = append(line, ratio(find(r.Marks, t, l.Name, name).Value))
			}
			line = append(line, ratio(find(r.Marks, t, l.Name, bare).Value))
			lines = append(lines, append(line, answer(find(r.Marks, t, l.Name, uws))))
		}
	}
	return grid(lines)
}

func ratio(s stats.Summary) string {
	if s.N == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Q1, s.Q3)
}

func answer(m report.Mark) string {
	text := map[string]string{report.Met: "yes", report.Missed: "**no**"}[m.Verdict]
	if text == "" {
		return report.NotMeasured
	}
	if m.Close {
		text += ", within the spread"
	}
	return text
}

// verdict says in a sentence or two where the aim is met.
func verdict(r *report.Report) string {
	where := map[string][]string{}
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, m := range r.Marks {
			if m.Work == t.Title && m.Against == uws {
				where[m.Verdict] = append(where[m.Verdict], fmt.Sprintf("%s %s (%.2f ×)", t.Key, m.Where, m.Value.Median))
			}
		}
	}
	list := func(verdict string) string {
		if len(where[verdict]) == 0 {
			return "none"
		}
		return strings.Join(where[verdict], ", ")
	}
	if len(where[report.Met])+len(where[report.Missed]) == 0 {
		return "Whether it is at or below uWebSockets' CPU per message could not be measured.\n"
	}
	return fmt.Sprintf("At or below uWebSockets' CPU per message, in pure Go: %s.\n\nAbove it: %s.\n", list(report.Met), list(report.Missed))
}
