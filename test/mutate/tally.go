package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// tally is a package's line of the table.
type tally struct {
	name                                    string
	of                                      int // the mutants of the package; fewer may be tested
	killed, timedOut, equivalent, notViable int
	survivors                               []string
}

func (t *tally) tested() int {
	return t.killed + t.timedOut + t.equivalent + t.notViable + len(t.survivors)
}

// efficacy is the part of the tested changes that can be noticed and were noticed.
func (t *tally) efficacy() float64 {
	n := t.killed + t.timedOut
	if n+len(t.survivors) == 0 {
		return 1
	}
	return float64(n) / float64(n+len(t.survivors))
}

// add counts a mutant. code is the line that it changes.
func (t *tally) add(m mutant, s status, code string, known []equivalent) {
	switch s {
	case killed:
		t.killed++
	case timedOut:
		t.timedOut++
	case notViable:
		t.notViable++
	case lived:
		if slices.ContainsFunc(known, func(e equivalent) bool { return e.describes(m, code) }) {
			t.equivalent++
			return
		}
		t.survivors = append(t.survivors, fmt.Sprintf("%s: %s", m, code))
	}
}

// equivalent is a change that no test can notice, as docs/mutation.md has it.
type equivalent struct{ file, code, kind string }

func (e equivalent) describes(m mutant, code string) bool {
	return e.file == m.file && e.kind == m.kind && strings.Contains(code, e.code)
}

// equivalents reads the table of a file: file, code, change and why. Without the file there are none.
func equivalents(name string) ([]equivalent, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []equivalent
	for row := range strings.Lines(string(data)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), " | ")
		if len(cells) != 4 || !strings.Contains(cells[0], ".go`") {
			continue
		}
		for i := range cells[:3] {
			cells[i] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(cells[i]), "`"), `\|`, "|")
		}
		all = append(all, equivalent{cells[0], cells[1], cells[2]})
	}
	return all, nil
}

// sourceLine returns a line of a file, without its indentation.
func sourceLine(file string, n int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(data), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// write prints the table, and what lived.
func write(w io.Writer, tallies []tally, seed int64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "package\ttested\tkilled\ttimed out\tlived\tequivalent\tnot viable\tefficacy\t")
	for _, p := range tallies {
		tested := fmt.Sprintf("all %d", p.of)
		if p.tested() < p.of {
			tested = fmt.Sprintf("sample of %d of %d, seed %d", p.tested(), p.of, seed)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t\n",
			p.name, tested, p.killed, p.timedOut, len(p.survivors), p.equivalent, p.notViable, 100*p.efficacy())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range tallies {
		slices.Sort(p.survivors)
		for _, s := range p.survivors {
			fmt.Fprintf(w, "lived: %s\n", s)
		}
	}
	return nil
}
