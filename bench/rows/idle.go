package rows

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// settle is how long connections are left alone before their memory is counted: some
// libraries free what is idle for a while.
const settle = 2500 * time.Millisecond

var memoryMetrics = []report.Metric{
	{Key: "memory", Name: "heap and stacks in use per connection", Unit: "B"},
	{Key: "live", Name: "live objects and stacks per connection", Unit: "B"},
	{Key: "heap", Name: "heap in use", Unit: "B"},
	{Key: "stack", Name: "stacks in use", Unit: "B"},
	{Key: "goroutines", Name: "goroutines"},
}

// idleTables are row 7.
func (c *Config) idleTables() []Table {
	conns := pick(c, 5000, 500)
	table := func(key, title string, overTLS bool, lines []string) Table {
		return Table{
			Table: report.Table{
				Row: 7, Key: key, Title: title, Metrics: memoryMetrics,
				Note: "After a forced collection, less what the empty server has. Heap in use counts whole spans, so it includes what is lost between objects.",
			},
			Do: linesOf(lines, func(_ context.Context, l libs.Lib) (Session, error) {
				return &idleSession{config: c, lib: l, tls: overTLS, conns: conns, echoes: 1}, nil
			}),
			Rounds: pick(c, 2, 1), NoWarmup: true,
		}
	}
	return []Table{
		table("7a", "idle connections over TLS, behind net/http, after one echo each", true, with([]string{"wss", "wss-plain"}, "tls")),
		table("7b", "idle connections without TLS, behind net/http, after one echo each", false, with([]string{"wss", "wss-plain"}, "tcp")),
	}
}

// idleSession starts a server for each round, as memory is counted from nothing.
type idleSession struct {
	config *Config
	lib    libs.Lib
	tls    bool
	conns  int
	echoes int64 // messages on each connection
	setup  child.Setup
	// group opens the connections; nil: as rows 1 to 6 do.
	group func(ctx context.Context, t load.Target) (*load.Group, error)
}

func (s *idleSession) Close() {}

func (s *idleSession) Round() (Sample, error) {
	setup := s.setup
	setup.TLS, setup.Many = s.tls, true
	if setup.Message == 0 {
		setup.Message = 32
	}
	p, err := s.config.server(s.lib, setup)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	empty, err := p.Do(child.Request{Op: child.OpMemory})
	if err != nil {
		return nil, err
	}
	target, err := s.config.target(s.lib, p, s.tls)
	if err != nil {
		return nil, err
	}
	g, err := s.open(target)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	for range s.echoes {
		if _, err := g.Flood(1, 0, 0); err != nil {
			return nil, err
		}
	}
	time.Sleep(settle)
	full, err := p.Do(child.Request{Op: child.OpMemory})
	if err != nil {
		return nil, err
	}
	if err := g.Err(); err != nil {
		return nil, err
	}
	each := func(a, b uint64) float64 { return (float64(a) - float64(b)) / float64(s.conns) }
	return Sample{
		"memory":     each(full.HeapInuse+full.StackInuse, empty.HeapInuse+empty.StackInuse),
		"live":       each(full.HeapAlloc+full.StackInuse, empty.HeapAlloc+empty.StackInuse),
		"heap":       each(full.HeapInuse, empty.HeapInuse),
		"stack":      each(full.StackInuse, empty.StackInuse),
		"goroutines": each(uint64(full.Goroutines), uint64(empty.Goroutines)),
	}, nil
}

func (s *idleSession) open(t load.Target) (*load.Group, error) {
	ctx := context.Background()
	if s.group != nil {
		return s.group(ctx, t)
	}
	return load.Open(ctx, load.Plan{Target: t, Conns: s.conns, Window: 1, Ring: load.RingFor(32, 1)})
}
