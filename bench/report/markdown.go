package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed-c4549abd/wss/bench/shares"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// Markdown writes the report for people: the marks first, then every table.
func (r *Report) Markdown(plots map[string]string) string {
	var b strings.Builder
	b.WriteString("# Measurements\n\n")
	b.WriteString("Written by `make bench`; do not edit. How it is measured: [bench/README.md](../README.md).\n\n")
	fmt.Fprintf(&b, "%s, %d cores, %s, %s; %s, %s.\n", r.Machine.CPU, r.Machine.Cores, r.Machine.System, r.Machine.Go,
		r.Date.UTC().Format("2006-01-02"), r.extent())
	b.WriteString("Libraries: ")
	for i, m := range r.Machine.Peers {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", m.Path, m.Version)
	}
	b.WriteString(".\n\n")
	b.WriteString(r.MarksTable())
	if name, ok := plots["marks"]; ok {
		fmt.Fprintf(&b, "\n![Marks: the measured value as a part of the limit](%s)\n", name)
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(&b, "\n## %d. %s\n\n", t.Row, t.Title)
		if t.Note != "" {
			b.WriteString(t.Note + "\n\n")
		}
		if name, ok := plots[t.Key]; ok {
			fmt.Fprintf(&b, "![%s](%s)\n\n", t.Title, name)
		}
		b.WriteString(t.Text())
	}
	b.WriteString("\n## How each is set up\n\n" + r.setups())
	return b.String()
}

func (r *Report) extent() string {
	if r.Quick {
		return "a quick run, with few and short rounds"
	}
	return "a full run"
}

// MarksTable is the table of marks with their verdicts.
func (r *Report) MarksTable() string {
	rows := [][]string{{"#", "work", "mark", "measured", "quartiles", "best", "verdict", "without our work", "bound"}}
	for _, m := range r.Marks {
		measured, spread := "–", "–"
		if m.Value.N > 0 {
			measured = Number(m.Value.Median)
			if m.Unit != "" {
				measured += " " + m.Unit
			}
			spread = Number(m.Value.Q1) + "–" + Number(m.Value.Q3)
			if m.Times {
				measured = Number(1/m.Value.Median) + " ×"
				spread = Number(1/m.Value.Q3) + "–" + Number(1/m.Value.Q1)
			}
		}
		verdict := m.Verdict
		if m.Verdict == Missed {
			verdict = "**missed**"
		}
		if m.Close {
			verdict += ", within the spread"
		}
		against := m.Against
		if m.Where != "" {
			against = strings.TrimSpace(against + " (" + m.Where + ")")
		}
		free, bound := "", ""
		if m.Free != nil {
			free = fmt.Sprintf("%s ± %s", Number(m.Free.Value), Number(m.Free.Deviation))
		}
		if m.Bound > 0 {
			bound = Number(m.Bound) + ": " + m.BoundBy
		}
		rows = append(rows, []string{fmt.Sprint(m.Row), m.Work, m.Goal, measured, spread, against, verdict, free, bound})
	}
	return Grid(rows)
}

// Text is the table of one shape.
func (t *Table) Text() string {
	var b strings.Builder
	if t.Across {
		b.WriteString(t.across())
	} else {
		b.WriteString(t.along())
	}
	if s := t.ratios(); s != "" {
		b.WriteString("\nThe first figure as a part of that of others, the median of the ratios of each round:\n\n" + s)
	}
	if s := t.shares(); s != "" {
		b.WriteString("\nWhere the processor time goes, in rounds of their own with a profiler:\n\n" + s)
	}
	for _, a := range t.Absent {
		fmt.Fprintf(&b, "\n- %s: %s", a.Name, a.Reason)
	}
	if len(t.Absent) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// along has a line for each library; the first metric with its quartiles.
func (t *Table) along() string {
	head := []string{""}
	var shown []Metric
	for _, m := range t.Metrics {
		if t.has(m.Key) {
			shown = append(shown, m)
			head = append(head, m.title())
		}
	}
	rows := [][]string{head}
	for _, l := range t.Lines {
		row := []string{l.Name}
		for i, m := range shown {
			v, ok := l.Values[m.Key]
			switch {
			case !ok:
				row = append(row, "–")
			case i == 0 && v.N > 1:
				row = append(row, fmt.Sprintf("%s (%s–%s)", Number(v.Median), Number(v.Q1), Number(v.Q3)))
			default:
				row = append(row, Number(v.Median))
			}
		}
		rows = append(rows, row)
	}
	return Grid(rows)
}

// across has a line for each metric.
func (t *Table) across() string {
	head := []string{""}
	for _, l := range t.Lines {
		head = append(head, l.Name)
	}
	rows := [][]string{head}
	for _, m := range t.Metrics {
		row := []string{m.title()}
		for _, l := range t.Lines {
			if v, ok := l.Values[m.Key]; ok {
				row = append(row, Number(v.Median))
			} else {
				row = append(row, "–")
			}
		}
		rows = append(rows, row)
	}
	return Grid(rows)
}

// ratios has a line for each of ours and each baseline, and all but ours in columns.
func (t *Table) ratios() string {
	if t.Across || len(t.Metrics) == 0 {
		return ""
	}
	key := t.Metrics[0].Key
	var those, others []Line
	for _, l := range t.Lines {
		if len(l.Rounds[key]) == 0 {
			continue
		}
		if l.Kind != kindPeer {
			those = append(those, l)
		}
		if l.Kind != kindOurs {
			others = append(others, l)
		}
	}
	if len(those) == 0 || len(others) == 0 {
		return ""
	}
	rows := [][]string{{""}}
	for _, other := range others {
		rows[0] = append(rows[0], other.Name)
	}
	for _, l := range those {
		row := []string{l.Name}
		for _, other := range others {
			row = append(row, Number(stats.Summarise(stats.Ratios(l.Rounds[key], other.Rounds[key])).Median))
		}
		rows = append(rows, row)
	}
	return Grid(rows)
}

// shares has a line for each library whose time was looked into.
func (t *Table) shares() string {
	rows := [][]string{{""}}
	for _, k := range shares.Kinds() {
		rows[0] = append(rows[0], string(k))
	}
	rows[0] = append(rows[0], "samples")
	for _, l := range t.Lines {
		if l.Shares.Samples == 0 {
			continue
		}
		row := []string{l.Name}
		for _, k := range shares.Kinds() {
			row = append(row, fmt.Sprintf("%.1f %%", 100*l.Shares.Parts[k]))
		}
		rows = append(rows, append(row, fmt.Sprint(l.Shares.Samples)))
	}
	if len(rows) == 1 {
		return ""
	}
	return Grid(rows)
}

func (t *Table) has(key string) bool {
	for _, l := range t.Lines {
		if _, ok := l.Values[key]; ok {
			return true
		}
	}
	return false
}

func (m Metric) title() string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + ", " + m.Unit
}

func (r *Report) setups() string {
	rows, seen := [][]string{{"", "set-up"}}, map[string]bool{}
	for _, t := range r.Tables {
		for _, l := range t.Lines {
			if l.Setup != "" && !seen[l.Name] {
				seen[l.Name] = true
				rows = append(rows, []string{l.Name, l.Setup})
			}
		}
	}
	return Grid(rows)
}

// Grid is a table in Markdown. It aligns nothing: Markdown does not need it, but the columns are padded so that the
// same text can be read on a terminal.
func Grid(rows [][]string) string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("|")
		for k, cell := range row {
			b.WriteString(" " + cell + strings.Repeat(" ", width[k]-len([]rune(cell))) + " |")
		}
		b.WriteString("\n")
		if i == 0 {
			b.WriteString("|")
			for _, w := range width {
				b.WriteString(strings.Repeat("-", w+2) + "|")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// Number writes three significant digits, with thousands apart.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a < 0.001:
		return fmt.Sprintf("%.1g", v)
	case a < 1:
		return fmt.Sprintf("%.3f", v)
	case a < 10:
		return fmt.Sprintf("%.2f", v)
	case a < 100:
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
