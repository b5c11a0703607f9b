package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

const (
	growthRate = 10_000 // messages a second, in all
	growthSize = 128
)

func (c *Config) growthSizes() []int {
	sizes := pick(c, []int{10, 100, 1000, 8000}, []int{10, 100, 1000})
	for len(sizes) > 1 && c.MaxConns > 0 && sizes[len(sizes)-1] > c.MaxConns {
		sizes = sizes[:len(sizes)-1]
	}
	return sizes
}

// growthTables are row 16.
func (c *Config) growthTables() []Table {
	t := Table{
		Table: report.Table{Row: 16, Key: "16", Title: "the same 10,000 messages a second over ever more connections", Across: true,
			Note: "128 B echo over TLS, sent on time whether answers come or not. A server for each number of connections; its rounds take turns with those of the others."},
		Apart: true, Rounds: pick(c, 7, 3),
	}
	for _, figure := range []report.Metric{cpuMetric, p50Metric, p99Metric} {
		for _, n := range c.growthSizes() {
			t.Metrics = append(t.Metrics, report.Metric{
				Key: growthKey(figure.Key, n), Name: fmt.Sprintf("%s, %d connections", figure.Name, n), Unit: figure.Unit,
			})
		}
	}
	t.Do = linesOf(pick(c, []string{"wss", "gws", "tls"}, []string{"wss", "tls"}), c.openGrowth)
	return []Table{t}
}

func growthKey(figure string, conns int) string { return fmt.Sprintf("%s %d", figure, conns) }

// growthSession has a server for each number of connections.
type growthSession struct {
	sizes  []int
	lead   time.Duration // for connections that have been idle since the last round
	each   []*echoSession
	window time.Duration
}

func (c *Config) openGrowth(ctx context.Context, l libs.Lib) (Session, error) {
	s := &growthSession{lead: pick(c, time.Second, 200*time.Millisecond), window: pick(c, 500*time.Millisecond, 200*time.Millisecond)}
	for _, n := range c.growthSizes() {
		e, err := c.openEcho(ctx, l, shape{size: growthSize, conns: n, window: 1})
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("%d connections: %w", n, err)
		}
		s.sizes, s.each = append(s.sizes, n), append(s.each, e.(*echoSession))
	}
	return s, nil
}

func (s *growthSession) Round() (Sample, error) {
	all := Sample{}
	for i, e := range s.each {
		if _, err := e.group.Pace(growthRate, s.lead); err != nil {
			return nil, err
		}
		one, err := measured(childMeter{e.process}, growthSize, func() (load.Result, error) {
			return e.group.Pace(growthRate, s.window)
		})
		if err != nil {
			return nil, err
		}
		for _, key := range []string{"cpu", "p50", "p99"} {
			all[growthKey(key, s.sizes[i])] = one[key]
		}
	}
	return all, nil
}

func (s *growthSession) Close() {
	for _, e := range s.each {
		e.Close()
	}
}
