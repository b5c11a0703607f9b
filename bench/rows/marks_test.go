package rows

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/shares"
)

func line(name string, kind libs.Kind, cpu ...float64) report.Line {
	return report.Line{Name: name, Kind: kind.String(), Rounds: map[string][]float64{"cpu": cpu}}.Summarised()
}

func TestMarksAreJudgedByTheMedianOfRatios(t *testing.T) {
	table := report.Table{Key: "1", Lines: []report.Line{
		line("wss", libs.Ours, 1, 20, 1),
		line("slow", libs.Peer, 100, 100, 100),
		line("quick", libs.Peer, 4, 80, 2),
		line("tls", libs.Baseline, 0.5, 10, 1),
	}}
	for _, c := range []struct {
		name string
		goal goal
		want report.Mark
	}{
		{"met against the best", goal{table: "1", line: "wss", metric: "cpu", against: best, limit: 0.4}, report.Mark{Verdict: report.Met, Against: "quick"}},
		{"missed against the best", goal{table: "1", line: "wss", metric: "cpu", against: best, limit: 0.2}, report.Mark{Verdict: report.Missed, Against: "quick"}},
		{"against a baseline", goal{table: "1", line: "wss", metric: "cpu", against: "tls", limit: 1.9}, report.Mark{Verdict: report.Missed, Against: "tls", Close: true}},
		{"against a limit", goal{table: "1", line: "wss", metric: "cpu", limit: 1}, report.Mark{Verdict: report.Met, Close: true}},
		{"no such peer", goal{table: "1", line: "wss", metric: "cpu", against: "gone", limit: 1}, report.Mark{Verdict: report.NotMeasured}},
		{"no such table", goal{table: "2", line: "wss", metric: "cpu", limit: 1}, report.Mark{Verdict: report.NotMeasured}},
	} {
		got := c.goal.judge(&report.Report{Tables: []report.Table{table}})
		if got.Verdict != c.want.Verdict || got.Against != c.want.Against || got.Close != c.want.Close {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestWithoutTheLibrarysWorkSoMuchIsLeft(t *testing.T) {
	own := line("wss", libs.Ours, 90, 80, 100)
	table := report.Table{Key: "1", Lines: []report.Line{own, line("peer", libs.Peer, 100, 100, 100)}}
	g := goal{table: "1", line: "wss", metric: "cpu", against: best, limit: 0.8}
	if m := g.judge(&report.Report{Tables: []report.Table{table}}); m.Free != nil {
		t.Errorf("nobody looked, and %v is left", m.Free)
	}
	table.Lines[0].Shares = shares.Shares{Parts: map[shares.Kind]float64{shares.Kernel: 0.8, shares.Library: 0.2}, Samples: 100}
	if m := g.judge(&report.Report{Tables: []report.Table{table}}); m.Free == nil || math.Abs(m.Free.Value-0.72) > 1e-9 || math.Abs(m.Free.Deviation-0.9*0.04) > 1e-9 {
		t.Errorf("%+v is left, want 0.72 ± 0.036", m.Free)
	}
}

func TestTheWorstOfSeveralFiguresCounts(t *testing.T) {
	wss := report.Line{Name: "wss", Kind: "ours", Rounds: map[string][]float64{"1 B": {1}, "2 B": {3}, "1 B, odd": {9}}}.Summarised()
	peer := report.Line{Name: "peer", Kind: "peer", Rounds: map[string][]float64{"1 B": {2}, "2 B": {2}, "1 B, odd": {9}}}.Summarised()
	r := &report.Report{Tables: []report.Table{{Key: "11", Lines: []report.Line{wss, peer}, Metrics: []report.Metric{
		{Key: "1 B", Unit: "ns"}, {Key: "2 B", Unit: "ns"},
	}}}}
	m := goal{table: "11", line: "wss", against: best, limit: 1, metrics: shown}.judge(r)
	if m.Where != "2 B" || m.Value.Median != 1.5 || m.Verdict != report.Missed {
		t.Errorf("%+v", m)
	}
	m = goal{table: "11", line: "wss", against: best, limit: 1, metrics: apart}.judge(r)
	if m.Value.Median != 1 || m.Verdict != report.Met {
		t.Errorf("%+v", m)
	}
}

func TestGrowthIsTheWorstNumberOfConnectionsToTheBest(t *testing.T) {
	own := report.Line{Name: "wss", Rounds: map[string][]float64{"cpu 10": {2, 4}, "cpu 100": {3, 6}, "cpu 1000": {2, 4}, "p50 10": {900, 1}}}.Summarised()
	r := &report.Report{Tables: []report.Table{{Key: "16", Lines: []report.Line{own}, Metrics: []report.Metric{
		{Key: "cpu 10"}, {Key: "cpu 100"}, {Key: "cpu 1000"}, {Key: "p50 10"},
	}}}}
	m := goal{table: "16", line: "wss", against: lowest, limit: 1.3}.judge(r)
	if m.Value.Median != 1.5 || !strings.HasPrefix(m.Where, "100 to 10") {
		t.Errorf("%+v", m)
	}
}

// Every goal names a table, lines and a figure that are really measured, in every kind of
// run; and every row has a goal.
func TestEveryGoalCanBeReached(t *testing.T) {
	for _, quick := range []bool{false, true} {
		c := &Config{Quick: quick, Rounds: 1}
		tables := map[string]Table{}
		for _, table := range c.Plan() {
			tables[table.Key] = table
		}
		rows := map[int]bool{}
		for _, g := range goals {
			rows[g.row] = true
			table, ok := tables[g.table]
			if !ok || table.Row != g.row {
				t.Errorf("%s: there is no table %q in row %d", g.work, g.table, g.row)
				continue
			}
			if g.metrics == nil && g.against != lowest && !slices.ContainsFunc(table.Metrics, func(m report.Metric) bool { return m.Key == g.metric }) {
				t.Errorf("%s: table %s has no figure %q", g.work, g.table, g.metric)
			}
			if table.Custom != nil {
				continue
			}
			for _, name := range []string{g.line, g.against} {
				if name != "" && name != best && name != lowest && !slices.ContainsFunc(table.Do, func(l Line) bool { return l.Name == name }) {
					t.Errorf("%s: table %s has no line %q", g.work, g.table, name)
				}
			}
		}
		for row := 1; row <= 16; row++ {
			if !rows[row] {
				t.Errorf("row %d has no goal", row)
			}
		}
	}
}
