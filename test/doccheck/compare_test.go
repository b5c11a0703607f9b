package doccheck

import (
	"regexp"
	"strings"
	"testing"
)

// TestTheComparisonIsCurrent: the versions in README's comparison are those that bench measures, and its counts of cases and its figures are
// those of docs/suite-results.md and of the last run of bench.
func TestTheComparisonIsCurrent(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "README.md"), "## Beside other libraries\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string][]string{} // the cells behind the label
	for line := range strings.Lines(section) {
		if cells := split(strings.TrimSpace(line)); strings.HasPrefix(line, "|") && len(cells) == 6 {
			rows[cells[0]] = cells[1:]
		}
	}
	modules, results, report := read(t, "bench/go.mod"), read(t, "docs/suite-results.md"), read(t, "bench/report/report.md")
	passed := row(t, rows, "[cases passed](docs/suite-results.md), of 259 and 163")
	for i, library := range row(t, rows, "")[1:] {
		path, version, _ := strings.Cut(library, " ")
		if !strings.Contains(modules, "github.com/"+path+" v"+version+"\n") {
			t.Errorf("bench measures another version than %s %s", path, version)
		}
		line := regexp.MustCompile(`(?m)^\| \[github.com/` + path + `\][^|]*\| ([\d.]+) \| (\d+) of 259 \| (\d+) of 163 \|`).FindStringSubmatch(results)
		if line == nil || line[1] != version || passed[i+1] != line[2]+", "+line[3] {
			t.Errorf("%s: README has the cases %q, docs/suite-results.md %q", library, passed, line)
		}
	}
	for label, measured := range map[string]struct{ table, own string }{
		"echo of 32 bytes, alone: CPU":              {"5. 32 B ping-pong, 1 connection, one in flight", "wss-plain"},
		"of 128 bytes on 1,000 connections: CPU":    {"6. 128 B echo, many connections, one in flight on each", "wss-plain"},
		"256 bytes to many connections, alone: CPU": {"9. a prepared message of 256 B to many connections, one at a time", "wss"},
		"in bursts of 16: CPU":                      {"9. a prepared message of 256 B to many connections, in bursts of 16", "wss"},
	} {
		cells := row(t, rows, label)
		_, table, _ := strings.Cut(report, "\n## "+measured.table+"\n")
		for i, name := range []string{measured.own, "gorilla", "coder", "gobwas", "gws"} {
			figure := regexp.MustCompile(`(?m)^\| ` + name + ` +\| ([\d.,]+) `).FindStringSubmatch(table)
			if figure == nil || cells[i] != figure[1]+" µs" {
				t.Errorf("%s, %s: README has %q, the report %q", label, name, cells, figure)
			}
		}
	}
}

// row returns the five cells behind a label.
func row(t *testing.T, rows map[string][]string, label string) []string {
	t.Helper()
	cells := rows[label]
	if cells == nil {
		t.Fatalf("the comparison has no row %q", label)
	}
	return cells
}
