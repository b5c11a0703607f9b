package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// settle is how long connections are left alone before their memory is counted: some
// libraries free what is idle for a while.
const settle = 4 * time.Second

var memoryMetrics = []report.Metric{
	{Key: "memory", Name: "heap and stacks in use per connection", Unit: "B"},
	{Key: "live", Name: "live objects and stacks per connection", Unit: "B"},
	{Key: "heap", Name: "heap in use", Unit: "B"},
	{Key: "stack", Name: "stacks in use", Unit: "B"},
	{Key: "goroutines", Name: "goroutines"},
}

// idleTables are row 7.
func (c *Config) idleTables() []Table {
	conns := c.conns(5000, 500)
	table := func(key, title string, overTLS bool, lines []string) Table {
		return Table{
			Table: report.Table{
				Row: 7, Key: key, Title: title, Metrics: memoryMetrics,
				Note: "After a forced collection, less what the empty server has. Heap in use counts whole spans, so it includes what is lost between objects.",
			},
			Do: linesOf(lines, func(_ context.Context, l libs.Lib) (Session, error) {
				s := &idleSession{config: c, lib: l, tls: overTLS, conns: conns, floods: 1, window: 1}
				return s, s.prepare()
			}),
			Rounds: 1, NoWarmup: true, Apart: !c.Quick,
		}
	}
	return []Table{
		table("7a", "idle connections over TLS, behind net/http, after one echo each", true, with([]string{"wss", "wss-plain"}, "tls-idle", "tls")),
		table("7b", "idle connections without TLS, behind net/http, after one echo each", false, with([]string{"wss", "wss-plain"}, "tcp")),
	}
}

// idleSession starts a server for each round, as memory is counted from nothing.
type idleSession struct {
	config *Config
	lib    libs.Lib
	tls    bool
	conns  int
	floods int // each sends window messages on every connection
	window int
	setup  child.Setup
	// group opens the connections; nil: as rows 1 to 6 do.
	group func(ctx context.Context, t load.Target) (*load.Group, error)

	// What a round begins with; sessions that are opened together wait together.
	process *child.Process
	live    *load.Group
	empty   child.Reply
	since   time.Time
}

func (s *idleSession) Round() (Sample, error) {
	if s.process == nil {
		if err := s.prepare(); err != nil {
			return nil, err
		}
	}
	defer s.Close()
	time.Sleep(time.Until(s.since.Add(settle)))
	full, err := s.process.Do(child.Request{Op: child.OpMemory})
	if err != nil {
		return nil, err
	}
	if err := s.live.Err(); err != nil {
		return nil, err
	}
	each := func(a, b uint64) float64 { return (float64(a) - float64(b)) / float64(s.conns) }
	empty := s.empty
	return Sample{
		"memory":     each(full.HeapInuse+full.StackInuse, empty.HeapInuse+empty.StackInuse),
		"live":       each(full.HeapAlloc+full.StackInuse, empty.HeapAlloc+empty.StackInuse),
		"heap":       each(full.HeapInuse, empty.HeapInuse),
		"stack":      each(full.StackInuse, empty.StackInuse),
		"goroutines": each(uint64(full.Goroutines), uint64(empty.Goroutines)),
	}, nil
}

// prepare starts the server and has its connections say what they have to say.
func (s *idleSession) prepare() (err error) {
	setup := s.setup
	setup.TLS, setup.Many = s.tls, true
	if setup.Message == 0 {
		setup.Message = 32
	}
	if s.process, err = s.config.server(s.lib, setup); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.empty, err = s.process.Do(child.Request{Op: child.OpMemory}); err != nil {
		return err
	}
	target, err := s.config.target(s.lib, s.process, s.tls)
	if err != nil {
		return err
	}
	if s.live, err = s.open(target); err != nil {
		return err
	}
	for range s.floods {
		res, err := s.live.Flood(s.window, 0, 0)
		if err != nil {
			return err
		}
		if want := uint64(s.conns * s.window); res.Messages != want {
			return fmt.Errorf("%d messages were echoed, want %d", res.Messages, want)
		}
	}
	s.since = time.Now()
	return nil
}

func (s *idleSession) open(t load.Target) (*load.Group, error) {
	ctx := context.Background()
	if s.group != nil {
		return s.group(ctx, t)
	}
	return load.Open(ctx, load.Plan{Target: t, Conns: s.conns, Window: 1, Ring: load.RingFor(32, 1)})
}

func (s *idleSession) Close() {
	if s.live != nil {
		s.live.Close()
	}
	if s.process != nil {
		_ = s.process.Close()
	}
	s.live, s.process = nil, nil
}
