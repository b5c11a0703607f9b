package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// differences says how the verdicts of two pages differ, for the peers of the second: lines that begin with "-" are in the page alone, those
// with "+" in the new one. Texts and octets are not compared, since times and random bytes are among them.
func differences(page, fresh string) []string {
	old, found := verdicts(page), verdicts(fresh)
	var lines []string
	for _, title := range slices.Sorted(maps.Keys(found)) {
		for _, v := range old[title] {
			if !slices.Contains(found[title], v) {
				lines = append(lines, fmt.Sprintf("- %s: %s", title, v))
			}
		}
		for _, v := range found[title] {
			if !slices.Contains(old[title], v) {
				lines = append(lines, fmt.Sprintf("+ %s: %s", title, v))
			}
		}
	}
	return lines
}

// verdicts returns what a page says of each peer: its version and counts, and the cases, the kind and the verdicts of each finding. A peer that
// was not tried is not in it.
func verdicts(page string) map[string][]string {
	all := map[string][]string{}
	title := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			title = name
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		switch {
		case !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || len(cells) < 3:
		case title == "":
			name, linked := strings.CutPrefix(strings.TrimSpace(cells[0]), "[")
			if name, _, _ = strings.Cut(name, "]"); linked {
				all[name] = append(all[name], strings.TrimSpace(strings.Join(cells[1:], ", ")))
			}
		case all[title] != nil && strings.TrimSpace(cells[0]) != "cases":
			all[title] = append(all[title], strings.TrimSpace(strings.Join(cells[:3], " | ")))
		}
	}
	return all
}
