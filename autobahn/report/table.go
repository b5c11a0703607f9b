package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// tally counts the outcomes of a group's cases.
type tally struct {
	id, name                                                  string
	cases, ok, info, nonStrict, failed, unimplemented, absent int
	closeOK, closeInfo, closeBad                              int
	duration                                                  time.Duration
}

func (t *tally) add(c Case) {
	switch c.Behavior {
	case OK:
		t.ok++
	case Informational:
		t.info++
	case NonStrict:
		t.nonStrict++
	case Unimplemented:
		t.unimplemented++
	default:
		t.failed++
	}
	switch c.BehaviorClose {
	case OK:
		t.closeOK++
	case Informational:
		t.closeInfo++
	default:
		t.closeBad++
	}
	t.duration += c.Duration
}

func (t *tally) sum(o tally) {
	t.cases += o.cases
	t.ok += o.ok
	t.info += o.info
	t.nonStrict += o.nonStrict
	t.failed += o.failed
	t.unimplemented += o.unimplemented
	t.absent += o.absent
	t.closeOK += o.closeOK
	t.closeInfo += o.closeInfo
	t.closeBad += o.closeBad
	t.duration += o.duration
}

// WriteTable writes one row for each group that has expected cases and one for their sum, then every problem with what
// the suite says about it. Unexpected cases are among the problems and in no row. It returns the error of w.
func (r *Report) WriteTable(w io.Writer, expected []string) error {
	var nothing *Golden
	return nothing.WriteTable(w, r, expected)
}

// WriteTable does what [Report.WriteTable] does, with the problems that the known deviations leave, or bring.
func (g *Golden) WriteTable(w io.Writer, r *Report, expected []string) error {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "group\tcases\tOK\tinfo\tnon-strict\tfailed\tunimpl.\tmissing\tclose OK\tclose info\tclose bad\tseconds\t  about")
	total, beyond := tally{id: "all", name: "all of them"}, tally{id: "beyond", name: "what the original has not"}
	for _, t := range r.tallies(expected) {
		t.write(table)
		if isBeyond(t.id) {
			beyond.sum(t)
		} else {
			total.sum(t)
		}
	}
	for _, sum := range []*tally{&total, &beyond} {
		if sum.cases > 0 {
			sum.write(table)
		}
	}
	table.Flush()

	problems, known := g.Problems(r, expected), len(r.Problems(expected))
	if len(problems) == 0 && known > 0 {
		fmt.Fprintf(&out, "\npass: all %d cases, but for %d known deviations\n", len(expected), known)
	} else if len(problems) == 0 {
		fmt.Fprintf(&out, "\npass: all %d cases\n", len(expected))
	} else {
		fmt.Fprintf(&out, "\nFAIL: %d problems in %d cases\n", len(problems), len(expected))
	}
	for _, p := range problems {
		fmt.Fprintf(&out, "  %v\n", p)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// isBeyond says whether a group is none of the original's.
func isBeyond(id string) bool {
	return slices.ContainsFunc(Beyond(), func(g Group) bool { return g.ID == id })
}

func (r *Report) tallies(expected []string) []tally {
	wanted := map[string]bool{}
	for _, id := range expected {
		wanted[id] = true
	}
	var all []tally
	for _, group := range AllGroups() {
		t := tally{id: group.ID, name: group.Name}
		for _, id := range group.Cases {
			if !wanted[id] {
				continue
			}
			t.cases++
			if c, ok := r.Cases[id]; ok {
				t.add(c)
			} else {
				t.absent++
			}
		}
		if t.cases > 0 {
			all = append(all, t)
		}
	}
	return all
}

func (t *tally) write(w io.Writer) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t  %s\n", t.id, t.cases, t.ok, t.info, t.nonStrict,
		t.failed, t.unimplemented, t.absent, t.closeOK, t.closeInfo, t.closeBad, t.duration.Seconds(), t.name)
}
