// Package report holds what was measured, and writes it down: JSON, Markdown and plots.
package report

import (
	"time"

	"github.com/seed-c4549abd/wss/bench/shares"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// Report is a whole run.
type Report struct {
	Machine Machine       `json:"machine"`
	Date    time.Time     `json:"date"`
	Quick   bool          `json:"quick"`
	Took    time.Duration `json:"took"`
	Marks   []Mark        `json:"marks"`
	Tables  []Table       `json:"tables"`
}

// Table is one shape of work, with a line for each way to do it.
type Table struct {
	Row     int      `json:"row"`
	Key     string   `json:"key"`
	Title   string   `json:"title"`
	Note    string   `json:"note,omitempty"`
	Metrics []Metric `json:"metrics"`
	Lines   []Line   `json:"lines"`
	Absent  []Absent `json:"absent,omitempty"`
	// Across has the metrics in rows and the lines in columns, for tables of sizes.
	Across bool `json:"across,omitempty"`
}

// Metric is a figure of a table.
type Metric struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
	// More says that more is better.
	More bool `json:"more,omitempty"`
}

// Kinds of lines; a baseline is the third.
const (
	kindOurs = "ours"
	kindPeer = "peer"
)

// Line is what was measured of one library.
type Line struct {
	Name   string                   `json:"name"`
	Kind   string                   `json:"kind"` // "ours", "peer" or "baseline"
	Setup  string                   `json:"setup,omitempty"`
	Values map[string]stats.Summary `json:"values"`
	// Rounds holds each metric's values, in the order of the rounds.
	Rounds map[string][]float64 `json:"rounds"`
	// Shares are the parts of the processor time by whose work it was, in rounds that
	// came after those.
	Shares shares.Shares `json:"shares,omitzero"`
}

// Absent is a library that does not take part, and why.
type Absent struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Verdicts of marks.
const (
	Met         = "met"
	Missed      = "missed"
	NotMeasured = "not measured"
)

// Mark is a goal, and what came of it.
type Mark struct {
	Row     int           `json:"row"`
	Work    string        `json:"work"`
	Goal    string        `json:"goal"`
	Limit   float64       `json:"limit"`
	Value   stats.Summary `json:"value"`
	Unit    string        `json:"unit,omitempty"`    // of the value; empty: a ratio
	Against string        `json:"against,omitempty"` // whom the ratio is to
	Where   string        `json:"where,omitempty"`   // the metric, where there are several
	Verdict string        `json:"verdict"`
	// Times says that Value is a part of Against's time, and the goal a multiple of its
	// speed.
	Times bool `json:"times,omitempty"`
	// Bound is how low Value could be, as far as that is known, and BoundBy what bounds it.
	Bound   float64 `json:"bound,omitempty"`
	BoundBy string  `json:"boundBy,omitempty"`
	// Free is what Value would be if the library's own work cost nothing; nil: nobody looked.
	Free *Free `json:"free,omitempty"`
	// Close says that the quartiles lie on both sides of the limit.
	Close bool `json:"close,omitempty"`
}

// Free is a figure without the library's own work, as a profile has it.
type Free struct {
	Value     float64 `json:"value"`
	Deviation float64 `json:"deviation"` // standard, as the number of samples makes it
}

// Find returns the table of a key.
func (r *Report) Find(key string) *Table {
	for i := range r.Tables {
		if r.Tables[i].Key == key {
			return &r.Tables[i]
		}
	}
	return nil
}

// Find returns the line of a name.
func (t *Table) Find(name string) *Line {
	for i := range t.Lines {
		if t.Lines[i].Name == name {
			return &t.Lines[i]
		}
	}
	return nil
}

// Count returns how many marks have a verdict.
func (r *Report) Count(verdict string) int {
	n := 0
	for _, m := range r.Marks {
		if m.Verdict == verdict {
			n++
		}
	}
	return n
}

// Summarised returns the line with Values made of its Rounds.
func (l Line) Summarised() Line {
	l.Values = map[string]stats.Summary{}
	for k, v := range l.Rounds {
		l.Values[k] = stats.Summarise(v)
	}
	return l
}
