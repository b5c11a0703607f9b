package rows

import (
	"fmt"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// best stands for whichever peer is the best in a table.
const best = "best peer"

// goal is a mark before it was measured.
type goal struct {
	row     int
	work    string
	table   string
	line    string
	metric  string
	against string // best, a line's name, or empty for an absolute limit
	limit   float64
	unit    string
}

var goals = []goal{
	{1, "32 B echo, 64 in flight, Serve: CPU", "1", "wss", "cpu", best, 1.0 / 8, ""},
	{2, "1 KiB echo, 64 in flight, Serve: CPU", "2", "wss", "cpu", best, 0.35, ""},
	{3, "64 KiB echo: CPU", "3", "wss", "cpu", best, 0.8, ""},
	{3, "64 KiB echo: CPU", "3", "wss", "cpu", "tls-copy", 1, ""},
	{4, "1 MiB echo, streamed: CPU", "4", "wss-stream", "cpu", "tls", 1, ""},
	{4, "1 MiB echo, whole: CPU", "4", "wss", "cpu", best, 0.75, ""},
	{5, "32 B ping-pong, Serve: p50", "5", "wss", "p50", "tls", 1.03, ""},
	{5, "32 B ping-pong, Serve: CPU", "5", "wss", "cpu", "tls", 1.03, ""},
	{5, "32 B ping-pong, Serve: p50", "5", "wss", "p50", best, 1, ""},
	{5, "32 B ping-pong, Serve: CPU", "5", "wss", "cpu", best, 1, ""},
	{5, "32 B ping-pong, Read and Write: p50", "5", "wss-plain", "p50", "tls", 1.03, ""},
	{5, "32 B ping-pong, Read and Write: CPU", "5", "wss-plain", "cpu", "tls", 1.03, ""},
	{5, "32 B ping-pong, Read and Write: p50", "5", "wss-plain", "p50", best, 1, ""},
	{5, "32 B ping-pong, Read and Write: CPU", "5", "wss-plain", "cpu", best, 1, ""},
	{6, "128 B echo, 1,000 connections, one in flight: CPU", "6a", "wss", "cpu", best, 0.8, ""},
	{6, "128 B echo, 1,000 connections, four in flight: CPU", "6b", "wss", "cpu", best, 0.5, ""},
	{7, "idle connection over TLS", "7a", "wss", "memory", "", 12_000, "B"},
	{7, "idle connection without TLS", "7b", "wss", "memory", "", 6_000, "B"},
	{7, "idle connection over TLS", "7a", "wss", "memory", best, 0.45, ""},
	{7, "idle connection without TLS", "7b", "wss", "memory", best, 0.45, ""},
	{8, "64 goroutines write to one connection: CPU", "8", "wss", "cpu", best, 1.0 / 5, ""},
	{9, "a prepared message to many connections: CPU", "9a", "wss", "cpu", "tls", 1.03, ""},
	{9, "bursts of 16 to many connections: CPU", "9b", "wss", "cpu", best, 1.0 / 4, ""},
	{10, "a client sends 64 KiB: CPU", "10", "wss", "cpu", best, 0.8, ""},
}

// Judge compares the marks with what was measured.
func (c *Config) Judge(r *report.Report) []report.Mark {
	var marks []report.Mark
	for _, g := range goals {
		if c.wants(g.row) {
			marks = append(marks, g.judge(r))
		}
	}
	return marks
}

func (g goal) judge(r *report.Report) report.Mark {
	m := report.Mark{
		Row: g.row, Work: g.work, Limit: g.limit, Unit: g.unit, Verdict: report.NotMeasured, Goal: g.text(),
	}
	t := r.Find(g.table)
	if t == nil {
		return m
	}
	own := t.Find(g.line)
	if own == nil {
		return m
	}
	if g.against == "" {
		m.Value = own.Values[g.metric]
		return verdict(m)
	}
	m.Value, m.Against = ratioTo(t, own, g.metric, g.against)
	return verdict(m)
}

func (g goal) text() string {
	switch {
	case g.against == "":
		return fmt.Sprintf("≤ %g %s", g.limit, g.unit)
	default:
		return fmt.Sprintf("≤ %.4g × %s", g.limit, g.against)
	}
}

// ratioTo returns the ratios of own to the named line, or to that peer to which they are
// largest: the best.
func ratioTo(t *report.Table, own *report.Line, metric, name string) (stats.Summary, string) {
	var worst stats.Summary
	against := ""
	for i := range t.Lines {
		l := &t.Lines[i]
		if l.Name != name && (name != best || l.Kind != libs.Peer.String()) {
			continue
		}
		s := stats.Summarise(stats.Ratios(own.Rounds[metric], l.Rounds[metric]))
		if s.N > 0 && (against == "" || s.Median > worst.Median) {
			worst, against = s, l.Name
		}
	}
	return worst, against
}

// verdict compares the median with the limit.
func verdict(m report.Mark) report.Mark {
	switch {
	case m.Value.N == 0:
		m.Verdict = report.NotMeasured
	case m.Value.Median <= m.Limit:
		m.Verdict = report.Met
	default:
		m.Verdict = report.Missed
	}
	m.Close = m.Value.N > 0 && m.Value.Q1 <= m.Limit && m.Limit < m.Value.Q3
	return m
}
