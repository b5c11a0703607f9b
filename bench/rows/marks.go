package rows

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/micro"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// best stands for whichever peer is the best in a table.
const best = "best peer"

// lowest compares a line's figures with the lowest among them.
const lowest = "the lowest"

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
	// metrics replaces metric: every one of them is to reach the limit, so that the
	// worst counts.
	metrics func(t *report.Table) []string
	// times writes the limit as a speed: n times as fast.
	times bool
	bound bound // nil: none is known
}

var goals = []goal{
	{row: 1, work: "32 B echo, 64 in flight, Serve: CPU", table: "1", line: "wss", metric: "cpu", against: best, limit: 1.0 / 8},
	{row: 2, work: "1 KiB echo, 64 in flight, Serve: CPU", table: "2", line: "wss", metric: "cpu", against: best, limit: 0.35},
	{row: 3, work: "64 KiB echo: CPU", table: "3", line: "wss", metric: "cpu", against: best, limit: 0.8, bound: kernelAndCipher(16384, 4, "seal", "open")},
	{row: 3, work: "64 KiB echo: CPU", table: "3", line: "wss", metric: "cpu", against: "tls-copy", limit: 1},
	{row: 4, work: "1 MiB echo, streamed: CPU", table: "4", line: "wss-stream", metric: "cpu", against: "tls", limit: 1},
	{row: 4, work: "1 MiB echo, whole: CPU", table: "4", line: "wss", metric: "cpu", against: best, limit: 0.75, bound: kernelAndCipher(16384, 64, "seal", "open")},
	{row: 5, work: "32 B ping-pong, Serve: p50", table: "5", line: "wss", metric: "p50", against: best, limit: 1},
	{row: 5, work: "32 B ping-pong, Serve: CPU", table: "5", line: "wss", metric: "cpu", against: best, limit: 1},
	{row: 5, work: "32 B ping-pong, Read and Write: p50", table: "5", line: "wss-plain", metric: "p50", against: best, limit: 1},
	{row: 5, work: "32 B ping-pong, Read and Write: CPU", table: "5", line: "wss-plain", metric: "cpu", against: best, limit: 1},
	{row: 6, work: "128 B echo, 1,000 connections, one in flight: CPU", table: "6a", line: "wss", metric: "cpu", against: best, limit: 0.8, bound: kernelAndCipher(128, 1, "seal", "open")},
	{row: 6, work: "128 B echo, 1,000 connections, four in flight: CPU", table: "6b", line: "wss", metric: "cpu", against: best, limit: 0.5},
	{row: 7, work: "idle connection over TLS", table: "7a", line: "wss", metric: "memory", limit: 12_000, unit: "B"},
	{row: 7, work: "idle connection without TLS", table: "7b", line: "wss", metric: "memory", limit: 6_000, unit: "B"},
	{row: 7, work: "idle connection over TLS", table: "7a", line: "wss", metric: "memory", against: best, limit: 0.45, bound: byIdleTLS(0)},
	{row: 7, work: "idle connection without TLS", table: "7b", line: "wss", metric: "memory", against: best, limit: 0.45},
	{row: 8, work: "64 goroutines write to one connection: CPU", table: "8", line: "wss", metric: "cpu", against: best, limit: 1.0 / 4},
	{row: 9, work: "a prepared message to many connections: CPU", table: "9a", line: "wss", metric: "cpu", against: "tls", limit: 1.03},
	{row: 9, work: "bursts of 16 to many connections: CPU", table: "9b", line: "wss", metric: "cpu", against: best, limit: 1.0 / 4},
	{row: 10, work: "a client sends 64 KiB: CPU", table: "10", line: "wss", metric: "cpu", against: best, limit: 0.8, bound: kernelAndCipher(16384, 4, "seal")},
	{row: 11, work: "mask, every size, all offsets together", table: "11", line: "wss", against: best, limit: 1, metrics: shown},
	{row: 11, work: "mask, every size at every offset", table: "11", line: "wss", against: best, limit: 1, metrics: apart, bound: byTouch},
	{row: 11, work: "mask in place, from 1 KiB", table: "11", line: "wss", against: "memmove", limit: 1, metrics: fromKiB},
	{row: 11, work: "mask while copying, from 1 KiB", table: "11", line: "wss-copy", against: "memmove", limit: 1, metrics: fromKiB},
	{row: 12, work: "headers, all sizes and roles", table: "12", line: "wss", against: best, limit: 1, metrics: shown},
	{row: 12, work: "headers: allocations", table: "12", line: "wss", metric: "allocs", limit: 0, unit: "allocations"},
	{row: 13, work: "UTF-8, ASCII", table: "13", line: "wss", against: "utf8.Valid", limit: 1, metrics: text("ASCII"), times: true},
	{row: 13, work: "UTF-8, Cyrillic", table: "13", line: "wss", against: "utf8.Valid", limit: 1.0 / 5, metrics: text("Cyrillic"), times: true},
	{row: 13, work: "UTF-8, CJK", table: "13", line: "wss", against: "utf8.Valid", limit: 1.0 / 5, metrics: text("CJK"), times: true},
	{row: 13, work: "UTF-8, JSON with emoji", table: "13", line: "wss", against: "utf8.Valid", limit: 1.0 / 2, metrics: text("JSON with emoji"), times: true},
	{row: 14, work: "accepting, new sessions: CPU", table: "14a", line: "wss", metric: "cpu", against: "http", limit: 1.03, bound: byHijack},
	{row: 14, work: "accepting, resumed sessions: CPU", table: "14b", line: "wss", metric: "cpu", against: "http", limit: 1.03, bound: byHijack},
	{row: 14, work: "accepting without net/http, new: CPU", table: "14a", line: "wss-upgrade", metric: "cpu", against: "http", limit: 1.03},
	{row: 14, work: "accepting without net/http, resumed: CPU", table: "14b", line: "wss-upgrade", metric: "cpu", against: "http", limit: 1.03},
	{row: 15, work: "compressed 1 KiB JSON: CPU", table: "15a", line: "wss", metric: "cpu", against: best, limit: 1},
	{row: 15, work: "compressed 1 KiB JSON, 12 bits: CPU", table: "15a", line: "wss, 12 bits", metric: "cpu", against: best, limit: 1},
	{row: 15, work: "idle compressed connection", table: "15b", line: "wss", metric: "memory", against: best, limit: 0.25, bound: byIdleTLS(15)},
	{row: 15, work: "idle compressed connection, 12 bits", table: "15b", line: "wss, 12 bits", metric: "memory", against: best, limit: 0.25, bound: byIdleTLS(12)},
	{row: 16, work: "ever more connections: CPU", table: "16", line: "wss", against: lowest, limit: 1.3, bound: byGrowth("tls")},
	{row: 17, work: "128 B echo, 500 connections, each every 500 ms: CPU", table: "17a", line: "wss", metric: "cpu", against: best, limit: 0.9},
	{row: 17, work: "128 B echo, 50 connections, each every 100 ms: CPU", table: "17b", line: "wss", metric: "cpu", against: best, limit: 1},
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
	m.Times = g.times
	if g.against == lowest {
		m.Value, m.Where = growth(t, own)
		g.bounded(r, t, &m)
		return verdict(m)
	}
	metrics := []string{g.metric}
	if g.metrics != nil {
		metrics = g.metrics(t)
	}
	for _, metric := range metrics {
		value, against := own.Values[metric], ""
		if g.against != "" {
			value, against = ratioTo(t, own, metric, g.against)
		}
		if value.N > 0 && (m.Value.N == 0 || value.Median > m.Value.Median) {
			m.Value, m.Against = value, against
			if len(metrics) > 1 {
				m.Where = metric
			}
		}
	}
	g.bounded(r, t, &m)
	return verdict(m)
}

func (g goal) text() string {
	switch {
	case g.against == "":
		return strings.TrimSpace(fmt.Sprintf("≤ %g %s", g.limit, g.unit))
	case g.times:
		return fmt.Sprintf("≥ %.3g × %s's speed", 1/g.limit, g.against)
	}
	return fmt.Sprintf("≤ %.4g × %s", g.limit, g.against)
}

// growth returns the largest ratio of one number of connections to another.
func growth(t *report.Table, own *report.Line) (worst stats.Summary, where string) {
	for _, a := range t.Metrics {
		for _, b := range t.Metrics {
			if !strings.HasPrefix(a.Key, "cpu ") || !strings.HasPrefix(b.Key, "cpu ") {
				continue
			}
			s := stats.Summarise(stats.Ratios(own.Rounds[a.Key], own.Rounds[b.Key]))
			if s.Median > worst.Median {
				worst, where = s, strings.TrimPrefix(a.Key, "cpu ")+" to "+strings.TrimPrefix(b.Key, "cpu ")+" connections"
			}
		}
	}
	return worst, where
}

// shown are the metrics of a table that it shows; apart are the cases that they stand
// for, each by itself.
func shown(t *report.Table) []string {
	var all []string
	for _, m := range t.Metrics {
		if m.Unit != "" {
			all = append(all, m.Key)
		}
	}
	return all
}

func apart(t *report.Table) []string {
	known := map[string]bool{}
	for _, m := range t.Metrics {
		known[m.Key] = true
	}
	var all []string
	for key := range t.Lines[0].Rounds {
		if !known[key] {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return all
}

func fromKiB(*report.Table) []string { return micro.FromKiB() }

func text(name string) func(*report.Table) []string {
	return func(*report.Table) []string { return micro.UTF8Groups(name) }
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
