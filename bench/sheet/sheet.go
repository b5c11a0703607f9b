// Package sheet writes the reports of commands that measure servers side by side: a table for each shape of work, with ratios, as Markdown and JSON.
package sheet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// Sheet is what a report says of itself.
type Sheet struct {
	Name    string // of its files: NAME.md and NAME.json
	Title   string
	Command string // that writes it, as "make bench-topics"
	How     string // where it is described, an anchor of bench/README.md
}

// Write puts the two files into a directory.
func (s Sheet) Write(r *report.Report, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, s.Name+".json"), data, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, s.Name+".md"), []byte(s.markdown(r)), 0o644)
}

func (s Sheet) markdown(r *report.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nWritten by `%s`; do not edit. How it is measured: [bench/README.md](../README.md#%s).\n\n", s.Title, s.Command, s.How)
	extent := "a full run"
	if r.Quick {
		extent = "a quick run, with few and short rounds"
	}
	fmt.Fprintf(&b, "%s, %d cores, %s, %s; %s, %s.\n", r.Machine.CPU, r.Machine.Cores, r.Machine.System, r.Machine.Go,
		r.Date.UTC().Format("2006-01-02"), extent)
	var versions []string
	for _, m := range r.Machine.Peers {
		versions = append(versions, m.Path+" "+m.Version)
	}
	fmt.Fprintf(&b, "Measured: %s.\n", strings.Join(versions, ", "))
	b.WriteString(Figures(r))
	b.WriteString("\n## How each is set up\n\n" + setups(r))
	return b.String()
}

// Figures is what both the report and the terminal show: a table for each shape of work.
func Figures(r *report.Report) string {
	var b strings.Builder
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n## %s. %s\n\n%s", t.Key, t.Title, grid(&t))
		for i, a := range t.Absent {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- %s: %s\n", a.Name, a.Reason)
		}
	}
	return b.String()
}

// grid has a line for each server: its figures, the first one with quartiles, and behind that the ratios of ours to it.
func grid(t *report.Table) string {
	head := []string{""}
	ours := linesOf(t, libs.Ours)
	for i, m := range t.Metrics {
		head = append(head, m.Name+", "+m.Unit)
		for k := 0; i == 0 && k < len(ours); k++ {
			head = append(head, ours[k].Name+" ÷ this")
		}
	}
	cells := [][]string{head}
	for _, l := range t.Lines {
		cells = append(cells, line(t, &l, ours))
	}
	return report.Grid(cells)
}

func line(t *report.Table, l *report.Line, ours []report.Line) []string {
	cells := []string{l.Name}
	for i, m := range t.Metrics {
		v := l.Values[m.Key]
		switch {
		case v.N == 0:
			cells = append(cells, "–")
		case i == 0:
			cells = append(cells, spread(v))
		default:
			cells = append(cells, report.Number(v.Median))
		}
		for k := 0; i == 0 && k < len(ours); k++ {
			cells = append(cells, ratio(&ours[k], l, m.Key))
		}
	}
	return cells
}

// ratio compares one of ours with another line, round by round.
func ratio(own, other *report.Line, key string) string {
	v := stats.Summarise(stats.Ratios(own.Rounds[key], other.Rounds[key]))
	if own.Name == other.Name || v.N == 0 {
		return "–"
	}
	return spread(v)
}

// spread is a median with its quartiles.
func spread(v stats.Summary) string {
	if v.N == 1 {
		return report.Number(v.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", report.Number(v.Median), report.Number(v.Q1), report.Number(v.Q3))
}

func linesOf(t *report.Table, kind libs.Kind) (some []report.Line) {
	for _, l := range t.Lines {
		if l.Kind == kind.String() {
			some = append(some, l)
		}
	}
	return some
}

func setups(r *report.Report) string {
	cells, seen := [][]string{{"", "set-up"}}, map[string]bool{}
	for _, t := range r.Tables {
		for _, l := range t.Lines {
			if !seen[l.Name] {
				seen[l.Name] = true
				cells = append(cells, []string{l.Name, l.Setup})
			}
		}
	}
	return report.Grid(cells)
}

// Failures is an error if a server that was there could not be measured, or has lost messages.
func Failures(r *report.Report) error {
	var all []error
	for _, t := range r.Tables {
		for _, a := range t.Absent {
			if strings.HasPrefix(a.Reason, failedPrefix) {
				all = append(all, fmt.Errorf("table %s: %s: %s", t.Key, a.Name, a.Reason))
			}
		}
	}
	return errors.Join(all...)
}

// failedPrefix is what package rows begins the reason with, when a line was measured and failed.
const failedPrefix = "failed: "
