package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Golden is a list of known deviations: cases that do not pass, with the verdicts that they have. The zero value, or nil,
// knows of none. It is written as a line each, an id and the two verdicts, with a reason behind:
//
//	6.4.1 NON-STRICT OK  # text is validated when the message has ended
//
// Empty lines are fine, and so are lines that begin with "#".
type Golden struct {
	head  []string // the comments, in order
	known []Deviation
}

// Deviation is a case that is known not to pass.
type Deviation struct {
	// ID is the case's.
	ID string
	// Behavior and BehaviorClose are the verdicts that are known.
	Behavior, BehaviorClose Behavior
	// Reason is the comment behind them; it may be empty.
	Reason string
}

// String returns the line of a golden file.
func (d Deviation) String() string {
	line := fmt.Sprintf("%s %s %s", d.ID, d.Behavior, d.BehaviorClose)
	if d.Reason != "" {
		line += "  # " + d.Reason
	}
	return line
}

// GoldenError is a line of a golden file that cannot be understood.
type GoldenError struct {
	// Line is its number, from 1.
	Line int
	// Text is what it says.
	Text string
	// Reason says what is wrong.
	Reason string
}

// Error says which line is at fault, and why.
func (e *GoldenError) Error() string {
	return fmt.Sprintf("report: golden file, line %d: %s: %q", e.Line, e.Reason, e.Text)
}

// The verdicts that a golden file may have.
var (
	behaviors      = []Behavior{OK, Informational, NonStrict, Failed, Unimplemented}
	closeBehaviors = []Behavior{OK, Informational, NonStrict, Failed, WrongCode, Unclean, FailedByClient}
)

// ReadGolden reads a golden file. Its error joins a [GoldenError] for every line that is malformed, names no case or one
// that another line has, or lists a case that passes.
func ReadGolden(r io.Reader) (*Golden, error) {
	g := &Golden{}
	all := AllCases()
	lines := map[string]int{}
	var errs []error
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, "#") {
			g.head = append(g.head, line)
			continue
		}
		d, why := parseDeviation(line)
		passes := (&Case{ID: d.ID, Behavior: d.Behavior, BehaviorClose: d.BehaviorClose}).Passes()
		switch {
		case why != "":
		case !slices.Contains(all, d.ID):
			why = "no such case"
		case lines[d.ID] != 0:
			why = fmt.Sprintf("line %d is about the same case", lines[d.ID])
		case passes:
			why = "such a case passes, and is no deviation"
		}
		if why != "" {
			errs = append(errs, &GoldenError{Line: n, Text: line, Reason: why})
			continue
		}
		lines[d.ID] = n
		g.known = append(g.known, d)
	}
	if err := in.Err(); err != nil {
		errs = append(errs, fmt.Errorf("report: golden file: %w", err))
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return g, nil
}

// parseDeviation says what is wrong with a line, or nothing.
func parseDeviation(line string) (d Deviation, why string) {
	line, d.Reason, _ = strings.Cut(line, "#")
	d.Reason = strings.TrimSpace(d.Reason)
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return d, "want a case and two verdicts, as in \"6.4.1 NON-STRICT OK  # why\""
	}
	d.ID = fields[0]
	rest := strings.Join(fields[1:], " ")
	for _, b := range behaviors {
		behind, ok := strings.CutPrefix(rest, string(b)+" ")
		if !ok {
			continue
		}
		d.Behavior = b
		if d.BehaviorClose = Behavior(behind); slices.Contains(closeBehaviors, d.BehaviorClose) {
			return d, ""
		}
	}
	return d, "unknown verdict"
}

// Deviations returns the known ones, in the order of the file. The caller owns the result.
func (g *Golden) Deviations() []Deviation {
	if g == nil {
		return nil
	}
	return slices.Clone(g.known)
}

// Find returns what is known of a case.
func (g *Golden) Find(id string) (Deviation, bool) {
	if g == nil {
		return Deviation{}, false
	}
	i := slices.IndexFunc(g.known, func(d Deviation) bool { return d.ID == id })
	if i < 0 {
		return Deviation{}, false
	}
	return g.known[i], true
}

// Problems returns what differs from what is known: of the problems of the report those that are not, and a deviation that
// is gone, so that the list stays honest. Deviations of cases that were not expected do not count.
func (g *Golden) Problems(r *Report, expected []string) []Problem {
	var problems []Problem
	for _, p := range r.Problems(expected) {
		d, known := g.Find(p.ID)
		if known && !p.Missing && !p.Unexpected && d.matches(&p.Case) {
			continue
		}
		if known && !p.Missing {
			p.Known = &d
		}
		problems = append(problems, p)
	}
	for _, d := range g.Deviations() {
		if c, ran := r.Cases[d.ID]; ran && c.Passes() && slices.Contains(expected, d.ID) {
			problems = append(problems, Problem{ID: d.ID, Gone: true, Known: &d, Case: c})
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return compareIDs(a.ID, b.ID) })
	return problems
}

func (d *Deviation) matches(c *Case) bool {
	return d.Behavior == c.Behavior && d.BehaviorClose == c.BehaviorClose
}

// Update returns the list that a report passes with: reasons of deviations that are still there are kept, and so is all
// about cases that were not expected.
func (g *Golden) Update(r *Report, expected []string) *Golden {
	next := &Golden{}
	if g != nil {
		next.head = slices.Clone(g.head)
	}
	for _, id := range AllCases() {
		d, known := g.Find(id)
		c, ran := r.Cases[id]
		switch {
		case !ran || !slices.Contains(expected, id):
			if known {
				next.known = append(next.known, d)
			}
		case !c.Passes():
			next.known = append(next.known, Deviation{id, c.Behavior, c.BehaviorClose, d.Reason})
		}
	}
	return next
}

// WriteTo writes the list as [ReadGolden] reads it. It returns the octets written and the error of w.
func (g *Golden) WriteTo(w io.Writer) (int64, error) {
	var out strings.Builder
	if g != nil {
		for _, line := range g.head {
			out.WriteString(line + "\n")
		}
	}
	for _, d := range g.Deviations() {
		out.WriteString(d.String() + "\n")
	}
	n, err := io.WriteString(w, out.String())
	return int64(n), err
}
