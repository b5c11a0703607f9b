package rows

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// acceptTables are row 14.
func (c *Config) acceptTables() []Table {
	metrics := []report.Metric{
		{Key: "cpu", Name: "CPU per connection", Unit: "µs"},
		{Key: "rate", Name: "connections", Unit: "1/s", More: true},
		p50Metric, p99Metric, p999Metric,
		{Key: "allocs", Name: "allocations per connection"},
		{Key: "allocBytes", Name: "allocated per connection", Unit: "B"},
	}
	table := func(key, title string, resume bool) Table {
		return Table{
			OneProcessor: true, Lives: pick(c, 5, 1),
			Table: report.Table{Row: 14, Key: key, Title: title, Metrics: metrics,
				Note: "TLS 1.3 with ECDSA P-256; TCP, TLS, a request, its answer, and the end of the connection."},
			Do: linesOf(with([]string{"wss", "wss-upgrade"}, "http", "http-hijack"), func(ctx context.Context, l libs.Lib) (Session, error) {
				return c.openAccept(ctx, l, resume)
			}),
		}
	}
	return []Table{
		table("14a", "accepting connections, new TLS sessions", false),
		table("14b", "accepting connections, resumed TLS sessions", true),
	}
}

type acceptSession struct {
	process *child.Process
	dials   *load.Dials
	window  time.Duration
}

func (c *Config) openAccept(ctx context.Context, l libs.Lib, resume bool) (Session, error) {
	p, err := c.server(l, child.Setup{TLS: true, Message: 32, Many: true})
	if err != nil {
		return nil, err
	}
	s := &acceptSession{process: p, window: c.Window}
	target, err := c.target(l, p, true)
	if err == nil {
		s.dials = &load.Dials{Target: target, Workers: 4, Plain: l.Name == "http", Resume: resume}
		err = s.dials.Prepare(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *acceptSession) Round() (Sample, error) {
	return measured(childMeter{s.process}, 0, func() (load.Result, error) {
		r, err := s.dials.Run(context.Background(), s.window)
		time.Sleep(20 * time.Millisecond) // the last connections are still being ended
		return r, err
	})
}

func (s *acceptSession) measured() *child.Process { return s.process }

func (s *acceptSession) Close() { _ = s.process.Close() }
