package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// trickles are row 17: many connections that each say something now and then, as those of a chat or of a game do. Nothing
// is bound to a processor, and nothing waits for an answer: the load sends at its own pace.
var trickles = []struct {
	key   string
	conns int
	every time.Duration
}{
	{"17a", 500, 500 * time.Millisecond},
	{"17b", 50, 100 * time.Millisecond},
}

const trickleSize = 128

func (c *Config) trickleTables() []Table {
	var tables []Table
	for _, tr := range trickles {
		conns := c.conns(tr.conns, tr.conns)
		s := shape{row: 17, key: tr.key, size: trickleSize, conns: conns, window: 1}
		rate := int(float64(conns) / tr.every.Seconds())
		tables = append(tables, Table{
			Rounds: pick(c, 8, 2),
			Table: report.Table{Row: 17, Key: tr.key, Metrics: echoMetrics,
				Title: fmt.Sprintf("128 B echo, %d connections, a message on each every %v", conns, tr.every)},
			Do: linesOf(with([]string{"wss", "wss-plain"}, "tls"), func(ctx context.Context, l libs.Lib) (Session, error) {
				e, err := c.openEcho(ctx, l, s)
				if err != nil {
					return nil, err
				}
				return &trickleSession{e.(*echoSession), rate, tr.every, pick(c, time.Second, 500*time.Millisecond)}, nil
			}),
		})
	}
	return tables
}

// trickleSession is an echo that is asked for at a pace.
type trickleSession struct {
	*echoSession
	rate     int // messages a second
	every    time.Duration
	duration time.Duration
}

func (s *trickleSession) Round() (Sample, error) {
	// Connections have been idle since the last round, as those of a trickle never are.
	if _, err := s.group.Pace(s.rate, s.every); err != nil {
		return nil, err
	}
	return measured(childMeter{s.process}, trickleSize, func() (load.Result, error) {
		return s.group.Pace(s.rate, s.duration)
	})
}
