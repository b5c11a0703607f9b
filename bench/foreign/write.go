package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/bench/report"
)

// write puts foreign.md and foreign.json into a directory.
func write(r *report.Report, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "foreign.json"), data, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "foreign.md"), []byte(markdown(r)), 0o644)
}

// figures is what both the report and the terminal show.
func figures(r *report.Report) string {
	var b strings.Builder
	b.WriteString(verdict(r))
	b.WriteString("\nOurs divided by theirs, CPU time per message: medians of the rounds' ratios, with quartiles.\n\n")
	b.WriteString(ratios(r))
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(&b, "\n## %s. %s\n\n%s", t.Key, t.Title, t.Text())
	}
	return b.String()
}

func markdown(r *report.Report) string {
	var b strings.Builder
	b.WriteString("# Beside servers that are not written in Go\n\n")
	b.WriteString("Written by `make bench-foreign`; do not edit. How it is measured: [bench/foreign/README.md](../foreign/README.md).\n\n")
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
	fmt.Fprintf(&b, "Measured: %s.\n\n", strings.Join(versions, ", "))
	b.WriteString(figures(r))
	b.WriteString("\n## How each is set up\n\n" + setups(r))
	return b.String()
}

func setups(r *report.Report) string {
	lines, seen := [][]string{{"", "set-up"}}, map[string]bool{}
	for _, t := range r.Tables {
		for _, l := range t.Lines {
			if !seen[l.Name] {
				seen[l.Name] = true
				lines = append(lines, []string{l.Name, l.Setup})
			}
		}
	}
	return grid(lines)
}

// grid is a table in Markdown, with its columns padded, for terminals.
func grid(lines [][]string) string {
	width := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for i, line := range lines {
		for k, cell := range line {
			b.WriteString("| " + cell + strings.Repeat(" ", width[k]-utf8.RuneCountInString(cell)+1))
		}
		b.WriteString("|\n")
		if i == 0 {
			for _, w := range width {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
