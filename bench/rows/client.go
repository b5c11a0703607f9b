package rows

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

const clientSize = 64 << 10

// clientTables are row 10, in which the measured process is the client.
func (c *Config) clientTables() []Table {
	return []Table{{
		OneProcessor: true, Lives: pick(c, 5, 1),
		Table: report.Table{
			Row: 10, Key: "10", Title: "a client sends messages of 64 KiB, masked", Metrics: pushMetrics,
			Note: "The bare clients send the same bytes without masking them.",
		},
		Do: linesOf(with([]string{"wss"}, "tls", "tcp"), func(_ context.Context, l libs.Lib) (Session, error) {
			return c.openClient(l)
		}),
	}}
}

// clientSession is a client that sends to a sink.
type clientSession struct {
	process *child.Process
	sink    *load.Sink
	batch   int
	window  time.Duration
}

func (c *Config) openClient(l libs.Lib) (Session, error) {
	var cfg *tls.Config
	if !l.Plain {
		var err error
		if cfg, err = child.ServerTLS(c.Cert, c.Key); err != nil {
			return nil, err
		}
	}
	sink, err := load.NewSink(cfg, child.Pattern(clientSize), l.Raw)
	if err != nil {
		return nil, err
	}
	p, err := c.server(l, child.Setup{TLS: true, Addr: sink.Addr()})
	if err != nil {
		sink.Close()
		return nil, err
	}
	return &clientSession{p, sink, pick(c, 100, 50), c.Window}, nil
}

func (s *clientSession) Round() (Sample, error) {
	return measured(childMeter{s.process}, clientSize, func() (load.Result, error) {
		before, start, n := s.sink.Received(), time.Now(), 0
		for time.Since(start) < s.window {
			_, err := s.process.Do(child.Request{Op: child.OpWrite, Goroutines: 1, Count: s.batch, Size: clientSize})
			if err != nil {
				return load.Result{}, err
			}
			n += s.batch
		}
		err := s.sink.WaitFor(before + uint64(n))
		return load.Result{Messages: uint64(n), Elapsed: time.Since(start)}, err
	})
}

func (s *clientSession) measured() *child.Process { return s.process }

func (s *clientSession) Close() {
	_ = s.process.Close()
	s.sink.Close()
}
