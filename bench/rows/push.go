package rows

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

var pushMetrics = []report.Metric{cpuMetric, rateMetric, bytesMetric, allocsMetric, sizesMetric}

const (
	writers     = 64 // goroutines of row 8
	writeSize   = 64
	publishSize = 256
	burst       = 16
)

// pushTables are rows 8 and 9, in which the server speaks and the load listens.
func (c *Config) pushTables() []Table {
	each := pick(c, 2500, 500)
	conns := c.conns(1000, 200)
	published := func(key, title string, n int) Table {
		return Table{
			Lives: pick(c, 5, 1),
			Table: report.Table{Row: 9, Key: key, Title: title, Metrics: pushMetrics,
				Note: "The next round of messages leaves when the one before has arrived everywhere. Libraries without prepared messages write the message to each connection."},
			Do: linesOf(c.instead(with([]string{"wss"}, "tls")), func(ctx context.Context, l libs.Lib) (Session, error) {
				return c.openPublish(ctx, l, conns, n)
			}),
		}
	}
	return []Table{
		{
			Lives: pick(c, 5, 1),
			Table: report.Table{Row: 8, Key: "8", Title: "64 goroutines write 64 B each to one connection", Metrics: pushMetrics},
			Do: linesOf(c.instead(with([]string{"wss"}, "tls")), func(ctx context.Context, l libs.Lib) (Session, error) {
				return c.openWriters(ctx, l, each)
			}),
		},
		published("9a", "a prepared message of 256 B to many connections, one at a time", 1),
		published("9b", "a prepared message of 256 B to many connections, in bursts of 16", burst),
	}
}

// pushSession tells the server to speak, and listens.
type pushSession struct {
	process *child.Process
	group   *load.Group
	size    int
	push    func(s *pushSession) (messages uint64, err error)
}

// openPush starts a server that knows its connections, with so many of them.
func (c *Config) openPush(ctx context.Context, l libs.Lib, conns int, expect []byte, message int) (*pushSession, error) {
	p, err := c.server(l, child.Setup{TLS: true, Message: message, Many: conns > 100, Speaks: true})
	if err != nil {
		return nil, err
	}
	s := &pushSession{process: p, size: message}
	target, err := c.target(l, p, true)
	if err == nil {
		s.group, err = load.Open(ctx, load.Plan{Target: target, Conns: conns, Window: 1, Expect: expect})
	}
	if err == nil {
		err = awaitConns(p, conns)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// awaitConns waits until the server has noted all connections: it does so only after
// the client has its answer.
func awaitConns(p *child.Process, n int) error {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		reply, err := p.Do(child.Request{Op: child.OpConns})
		if err != nil || reply.Conns == n {
			return err
		}
		if time.Since(start) > 10*time.Second {
			return load.ErrStuck
		}
	}
}

func (c *Config) openWriters(ctx context.Context, l libs.Lib, each int) (Session, error) {
	s, err := c.openPush(ctx, l, 1, child.Pattern(writeSize), writeSize)
	if err != nil {
		return nil, err
	}
	s.push = func(s *pushSession) (uint64, error) {
		_, err := s.process.Do(child.Request{Op: child.OpWrite, Goroutines: writers, Count: each, Size: writeSize})
		return uint64(writers * each), err
	}
	return s, nil
}

func (c *Config) openPublish(ctx context.Context, l libs.Lib, conns, n int) (Session, error) {
	expect := child.Pattern(publishSize)
	if l.Raw {
		expect = libs.AppendFrame(nil, expect)
	}
	s, err := c.openPush(ctx, l, conns, expect, publishSize)
	if err != nil {
		return nil, err
	}
	if _, err := s.process.Do(child.Request{Op: child.OpPrepare, Size: publishSize}); err != nil {
		s.Close()
		return nil, err
	}
	s.push = func(s *pushSession) (sent uint64, err error) {
		before := s.group.Received()
		for end := time.Now().Add(c.Window); time.Now().Before(end); {
			if _, err := s.process.Do(child.Request{Op: child.OpPublish, Count: n}); err != nil {
				return 0, err
			}
			sent += uint64(conns * n)
			if err := s.group.WaitFor(before + sent); err != nil {
				return 0, err
			}
		}
		return sent, nil
	}
	return s, nil
}

func (s *pushSession) Round() (Sample, error) {
	return measured(childMeter{s.process}, s.size, func() (load.Result, error) {
		before, start := s.group.Received(), time.Now()
		n, err := s.push(s)
		if err == nil {
			err = s.group.WaitFor(before + n)
		}
		return load.Result{Messages: n, Elapsed: time.Since(start)}, err
	})
}

func (s *pushSession) measured() *child.Process { return s.process }

func (s *pushSession) Close() {
	if s.group != nil {
		s.group.Close()
	}
	_ = s.process.Close()
}
