package rows

import (
	"context"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
)

// ObserverPlan returns rows 1 and 5, the echoes of 32 bytes, without and with the observers of package observe. wss without an
// observer counts as the peer, so the ratios are the cost of an observer.
func (c *Config) ObserverPlan() []Table {
	var tables []Table
	for _, s := range c.shapes() {
		if s.row != 1 && s.row != 5 || !c.wants(s.row) {
			continue
		}
		names := []string{"wss"}
		for _, l := range libs.Observed() {
			names = append(names, l.Name)
		}
		rounds, _ := c.split(s)
		lines := linesOf(names, func(ctx context.Context, l libs.Lib) (Session, error) { return c.openEcho(ctx, l, s) })
		lines[0].Kind = libs.Peer
		tables = append(tables, Table{
			Rounds: rounds, Lives: pick(c, 6, 2), OneProcessor: true,
			Table: report.Table{Row: s.row, Key: s.key, Title: s.title + ", observed", Metrics: echoMetrics},
			Do:    lines,
		})
	}
	return tables
}
