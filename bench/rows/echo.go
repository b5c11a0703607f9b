package rows

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// shape is how an echo is asked for.
type shape struct {
	row    int
	key    string
	title  string
	size   int
	conns  int
	window int
	limit  int64 // messages of a round at most
	lines  []string
}

// shapes are rows 1 to 6.
func (c *Config) shapes() []shape {
	many := c.conns(1000, 200)
	return []shape{
		{1, "1", "32 B echo, 1 connection, 64 in flight", 32, 1, 64, 1 << 20,
			with([]string{"wss", "wss-plain"}, "tls", "tcp", "tcp-whole")},
		{2, "2", "1 KiB echo, 1 connection, 64 in flight", 1 << 10, 1, 64, 1 << 19,
			with([]string{"wss", "wss-plain"}, "tls", "tcp", "tcp-whole")},
		{3, "3", "64 KiB echo, 1 connection, one in flight", 64 << 10, 1, 1, 1 << 16,
			with([]string{"wss", "wss-plain", "wss-stream"}, "tls", "tls-copy", "tcp", "tcp-whole")},
		{4, "4", "1 MiB echo, 1 connection, one in flight", 1 << 20, 1, 1, 1 << 12,
			with([]string{"wss", "wss-plain", "wss-stream"}, "tls", "tls-copy", "tcp", "tcp-whole")},
		{5, "5", "32 B ping-pong, 1 connection, one in flight", 32, 1, 1, 1 << 18,
			with([]string{"wss", "wss-plain"}, "tls", "tcp", "tcp-whole")},
		{6, "6a", "128 B echo, many connections, one in flight on each", 128, many, 1, 1 << 18,
			with([]string{"wss", "wss-plain"}, "tls", "tcp", "tcp-whole")},
		{6, "6b", "128 B echo, many connections, four in flight on each", 128, many, 4, 1 << 18,
			with([]string{"wss", "wss-plain"}, "tls", "tcp", "tcp-whole")},
	}
}

// split has a shape with one connection measured in more rounds that are shorter: what
// disturbs it, such as which processor a goroutine wakes up on, changes in tenths of a
// second, and a ping-pong depends on it most.
func (c *Config) split(s shape) (rounds int, window time.Duration) {
	switch {
	case s.row == 5:
		return 4 * c.Rounds, c.Window / 3
	case s.conns == 1:
		return 5 * c.Rounds / 2, 2 * c.Window / 5
	}
	return c.Rounds, c.Window
}

func (c *Config) echoTables() []Table {
	var tables []Table
	for _, s := range c.shapes() {
		rounds, _ := c.split(s)
		lives := 1
		if s.conns == 1 {
			lives = pick(c, 6, 2)
		}
		tables = append(tables, Table{
			Rounds: rounds, Lives: lives, OneProcessor: s.conns == 1,
			Table: report.Table{Row: s.row, Key: s.key, Title: s.title, Metrics: echoMetrics},
			Do: linesOf(c.instead(s.lines), func(ctx context.Context, l libs.Lib) (Session, error) {
				return c.openEcho(ctx, l, s)
			}),
		})
	}
	return tables
}

// echoSession is a server with its connections, which stay for all rounds.
type echoSession struct {
	process *child.Process
	group   *load.Group
	shape   shape
	window  time.Duration
}

func (c *Config) openEcho(ctx context.Context, l libs.Lib, s shape) (Session, error) {
	p, err := c.server(l, child.Setup{TLS: true, Message: s.size, Many: s.conns > 100})
	if err != nil {
		return nil, err
	}
	_, window := c.split(s)
	target, err := c.target(l, p, true)
	if err == nil {
		var g *load.Group
		if g, err = load.Open(ctx, load.Plan{
			Target: target, Conns: s.conns, Window: s.window, Ring: load.RingFor(s.size, s.window),
		}); err == nil {
			return &echoSession{p, g, s, window}, nil
		}
	}
	_ = p.Close()
	return nil, err
}

func (s *echoSession) Round() (Sample, error) {
	// What had been idle since the last round is awake when the round begins.
	if _, err := s.group.Flood(s.shape.window, 0, 0); err != nil {
		return nil, err
	}
	return measured(childMeter{s.process}, s.shape.size, func() (load.Result, error) {
		return s.group.Flood(s.shape.window, s.window, s.shape.limit)
	})
}

func (s *echoSession) measured() *child.Process { return s.process }

func (s *echoSession) Close() {
	s.group.Close()
	_ = s.process.Close()
}
