// Package rows has the rows of the table of marks: what is done in each, who takes part,
// and when its mark is met.
package rows

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
)

// Config says how much is measured.
type Config struct {
	Quick  bool
	Rounds int           // measured ones; one more comes before them and is dropped
	Window time.Duration // of a round
	Libs   []string      // names; none: all
	// MaxConns is for trying things out: no table has more connections. 0: no limit.
	MaxConns int
	Rows     []int // none: all
	// Profiles is a directory for CPU profiles of the measured processes. Empty: none.
	// They cost a little.
	Profiles string
	Cert     []byte
	Key      []byte
	Log      io.Writer // progress

	lines    []string // in place of those that the echoes and pushes have; nil: those
	table    string   // that is being measured
	profiles int
}

// Sample is what one round of one line gave, by the metrics' keys.
type Sample map[string]float64

// Session is a line that is ready to be measured; between rounds it costs nothing.
type Session interface {
	Round() (Sample, error)
	Close()
}

// process is a Session whose measured process can tell where its time goes.
type process interface{ measured() *child.Process }

// Line is one way to do a table's work.
type Line struct {
	Name  string
	Lib   string // the library's name, if it is not Name
	Kind  libs.Kind
	Setup string
	Open  func(ctx context.Context) (Session, error)
}

// Table is a table that is to be measured.
type Table struct {
	report.Table
	Do []Line
	// Custom measures the table in its own way.
	Custom func(ctx context.Context, t report.Table) report.Table
	// Apart measures a line through all its rounds before the next one begins, for
	// lines that cannot all be there at once.
	Apart bool
	// Rounds overrides the configuration's, and NoWarmup drops nothing, for tables
	// whose rounds begin from nothing.
	Rounds   int
	NoWarmup bool
	// Lives is how often the sessions begin anew, for the rounds to be shared among; 0:
	// once. Where a process's memory happens to lie is the same for its whole life, and
	// messages of a megabyte cost more or less by that alone.
	Lives int
	// OneProcessor has servers and load share one processor, where the system lets
	// them be bound to it: see onOneProcessor.
	OneProcessor bool
}

// Plan returns the tables of the configuration.
func (c *Config) Plan() []Table {
	var all []Table
	for _, tables := range [][]Table{
		c.echoTables(), c.idleTables(), c.pushTables(), c.clientTables(), c.microTables(), c.acceptTables(),
		c.deflateTables(), c.growthTables(), c.trickleTables(),
	} {
		for _, t := range tables {
			// The bounds of other rows need the cipher's cost.
			if c.wants(t.Row) || t.Key == "cipher" && (c.wants(4) || c.wants(5) || c.wants(6) || c.wants(10)) {
				all = append(all, t)
				if t.OneProcessor {
					all = append(all, c.free(t))
				}
			}
		}
	}
	return all
}

// free is a table whose server and load share a processor, once more without that: the system decides, as it does where the
// library is used. Its figures differ more from round to round; no mark is about them.
func (c *Config) free(t Table) Table {
	rounds := t.Rounds
	if rounds == 0 {
		rounds = c.Rounds
	}
	t.OneProcessor, t.Rounds, t.Lives = false, max(rounds/3, 1), min(t.Lives, 2)
	t.Key += "-free"
	t.Title += "; server and load free to use all processors"
	return t
}

func (c *Config) wants(row int) bool {
	for _, r := range c.Rows {
		if r == row {
			return true
		}
	}
	return len(c.Rows) == 0
}

func (c *Config) takes(name string) bool {
	for _, l := range c.Libs {
		if l == name {
			return true
		}
	}
	return len(c.Libs) == 0
}

// conns is the number of connections of a table.
func (c *Config) conns(full, quick int) int {
	n := pick(c, full, quick)
	if c.MaxConns > 0 {
		n = min(n, c.MaxConns)
	}
	return n
}

// pick chooses the quick or the full size of something.
func pick[T any](c *Config, full, quick T) T {
	if c.Quick {
		return quick
	}
	return full
}

// running is a line that is being measured.
type running struct {
	line    report.Line
	open    func(ctx context.Context) (Session, error)
	session Session
	failed  error
}

// Measure measures a table. A line that fails is listed as absent, with the error.
func (c *Config) Measure(ctx context.Context, t Table) report.Table {
	c.table = t.Key
	if t.Custom != nil {
		return t.Custom(ctx, t.Table)
	}
	out := t.Table
	if t.OneProcessor {
		if release, err := onOneProcessor(); err != nil {
			fmt.Fprintf(c.Log, "%s: not on one processor: %v\n", t.Key, err)
		} else {
			defer release()
			out.Note = strings.TrimSpace(out.Note + " Server and load share one processor.")
		}
	}
	var lines []Line
	for _, l := range t.Do {
		if c.takes(l.Name) || l.Lib != "" && c.takes(l.Lib) {
			lines = append(lines, l)
		}
	}
	if !t.Apart {
		c.together(ctx, t, lines, &out)
		return out
	}
	for _, l := range lines {
		c.together(ctx, t, []Line{l}, &out)
	}
	return out
}

// together interleaves the rounds of some lines.
func (c *Config) together(ctx context.Context, t Table, lines []Line, out *report.Table) {
	var all []*running
	for _, l := range lines {
		all = append(all, &running{open: l.Open, line: report.Line{
			Name: l.Name, Kind: l.Kind.String(), Setup: l.Setup, Rounds: map[string][]float64{},
		}})
	}
	rounds := c.Rounds
	if t.Rounds > 0 {
		rounds = t.Rounds
	}
	lives := max(min(t.Lives, rounds), 1)
	for i := range lives {
		c.live(ctx, t, all, rounds*(i+1)/lives-rounds*i/lives, i == lives-1)
	}
	for _, r := range all {
		if r.failed != nil {
			fmt.Fprintf(c.Log, "%s: %s: %v\n", t.Key, r.line.Name, r.failed)
			out.Absent = append(out.Absent, report.Absent{Name: r.line.Name, Reason: "failed: " + r.failed.Error()})
		} else {
			out.Lines = append(out.Lines, r.line.Summarised())
		}
	}
}

// live has the sessions of all lines for some rounds, and then, in the last of their lives,
// looks where the time of ours goes.
func (c *Config) live(ctx context.Context, t Table, all []*running, rounds int, last bool) {
	for _, r := range all {
		if r.failed != nil {
			continue
		}
		if r.session, r.failed = r.open(ctx); r.failed == nil {
			defer r.session.Close()
		}
	}
	warmup := 1
	if t.NoWarmup {
		warmup = 0
	}
	for i := range warmup + rounds {
		for _, r := range all {
			if r.failed != nil || ctx.Err() != nil {
				continue
			}
			if err := r.round(i >= warmup); err != nil {
				r.failed = fmt.Errorf("round %d: %w", i, err)
			}
		}
	}
	for _, r := range all {
		if last && r.failed == nil && r.line.Kind == libs.Ours.String() && ctx.Err() == nil {
			r.failed = c.share(r)
		}
	}
}

// share has rounds of a line profiled.
func (c *Config) share(r *running) error {
	s, ok := r.session.(process)
	if !ok || c.Profiles != "" { // which has a profile of the whole
		return nil
	}
	p := s.measured()
	if _, err := p.Do(child.Request{Op: child.OpProfile}); err != nil {
		return err
	}
	for end := time.Now().Add(pick(c, 3*time.Second, 300*time.Millisecond)); time.Now().Before(end); {
		if err := r.round(false); err != nil {
			return err
		}
	}
	reply, err := p.Do(child.Request{Op: child.OpShares})
	r.line.Shares = reply.Shares
	return err
}

// round measures once, and keeps what was measured if it counts.
func (r *running) round(counts bool) error {
	sample, err := r.session.Round()
	if err != nil || !counts {
		return err
	}
	for k, v := range sample {
		r.line.Rounds[k] = append(r.line.Rounds[k], v)
	}
	return nil
}
