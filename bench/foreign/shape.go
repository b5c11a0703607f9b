package main

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
)

// shape is a row of bench, or a half of one, and asks for the same.
type shape struct {
	row    int
	key    string
	title  string
	size   int
	conns  int
	window int   // messages in flight on each connection
	limit  int64 // messages of a round at most
	// stream says that our way to stream messages takes part.
	stream bool
}

func shapes(quick bool) []shape {
	many := 1000
	if quick {
		many = 200
	}
	return []shape{
		{row: 1, key: "1", title: "32 B echo, 1 connection, 64 in flight", size: 32, conns: 1, window: 64, limit: 1 << 20},
		{row: 2, key: "2", title: "1 KiB echo, 1 connection, 64 in flight", size: 1 << 10, conns: 1, window: 64, limit: 1 << 19},
		{row: 3, key: "3", title: "64 KiB echo, 1 connection, one in flight", size: 64 << 10, conns: 1, window: 1, limit: 1 << 16, stream: true},
		{row: 4, key: "4", title: "1 MiB echo, 1 connection, one in flight", size: 1 << 20, conns: 1, window: 1, limit: 1 << 12, stream: true},
		{row: 6, key: "6a", title: "128 B echo, many connections, one in flight on each", size: 128, conns: many, window: 1, limit: 1 << 18},
		{row: 6, key: "6b", title: "128 B echo, many connections, four in flight on each", size: 128, conns: many, window: 4, limit: 1 << 18},
	}
}

// many says that servers are set up for many connections that say little.
func (s shape) many() bool { return s.conns > 100 }

// metrics are those of bench that can be had of any process.
var metrics = []report.Metric{
	{Key: "cpu", Name: "CPU per message", Unit: "µs"},
	{Key: "rate", Name: "messages", Unit: "1/s", More: true},
	{Key: "bytes", Name: "payload, one way", Unit: "MB/s", More: true},
	{Key: "p50", Name: "p50", Unit: "µs"},
	{Key: "p99", Name: "p99", Unit: "µs"},
	{Key: "p999", Name: "p99.9", Unit: "µs"},
}

// table has a line for every server that takes part.
func (s shape) table(servers []server, keys *native.Keys, window time.Duration) rows.Table {
	t := rows.Table{Table: report.Table{Row: s.row, Key: s.key, Title: s.title, Metrics: metrics}}
	if s.conns == 1 { // as bench does
		t.OneProcessor, t.Lives = true, 5
	}
	for _, srv := range servers {
		if srv.name == streamed && !s.stream {
			continue
		}
		t.Do = append(t.Do, rows.Line{
			Name: srv.name, Kind: srv.kind, Setup: srv.setup,
			Open: func(ctx context.Context) (rows.Session, error) { return s.open(ctx, srv, keys, window) },
		})
	}
	return t
}

// session is a server with its connections, which stay for all rounds.
type session struct {
	process process
	group   *load.Group
	shape   shape
	window  time.Duration
}

func (s shape) open(ctx context.Context, srv server, keys *native.Keys, window time.Duration) (rows.Session, error) {
	cfg, err := child.ClientTLS(keys.Cert)
	if err != nil {
		return nil, err
	}
	p, err := srv.start(s, keys)
	if err != nil {
		return nil, err
	}
	g, err := load.Open(ctx, load.Plan{
		Target: load.Target{Addr: p.addr, TLS: cfg, Raw: srv.kind == libs.Baseline},
		Conns:  s.conns, Window: s.window, Ring: load.RingFor(s.size, s.window),
	})
	if err != nil {
		p.close()
		return nil, err
	}
	return &session{p, g, s, window}, nil
}

// Round floods the server once.
func (s *session) Round() (rows.Sample, error) {
	before, err := native.CPUTime(s.process.pid)
	if err != nil {
		return nil, err
	}
	res, err := s.group.Flood(s.shape.window, s.window, s.shape.limit)
	if err != nil {
		return nil, err
	}
	after, err := native.CPUTime(s.process.pid)
	return sample(after-before, res, s.shape.size), err
}

// Close ends the connections, and then the server.
func (s *session) Close() {
	s.group.Close()
	s.process.close()
}

func sample(cpu time.Duration, res load.Result, size int) rows.Sample {
	n := float64(res.Messages)
	return rows.Sample{
		"cpu":  micros(cpu) / n,
		"rate": n / res.Elapsed.Seconds(), "bytes": n * float64(size) / res.Elapsed.Seconds() / 1e6,
		"p50": micros(res.P50), "p99": micros(res.P99), "p999": micros(res.P999),
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
