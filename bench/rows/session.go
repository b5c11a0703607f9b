package rows

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// The metrics that most tables have.
var (
	cpuMetric    = report.Metric{Key: "cpu", Name: "CPU per message", Unit: "µs"}
	rateMetric   = report.Metric{Key: "rate", Name: "messages", Unit: "1/s", More: true}
	bytesMetric  = report.Metric{Key: "bytes", Name: "payload, one way", Unit: "MB/s", More: true}
	p50Metric    = report.Metric{Key: "p50", Name: "p50", Unit: "µs"}
	p99Metric    = report.Metric{Key: "p99", Name: "p99", Unit: "µs"}
	p999Metric   = report.Metric{Key: "p999", Name: "p99.9", Unit: "µs"}
	allocsMetric = report.Metric{Key: "allocs", Name: "allocations per message"}
	sizesMetric  = report.Metric{Key: "allocBytes", Name: "allocated per message", Unit: "B"}
)

var echoMetrics = []report.Metric{
	cpuMetric, rateMetric, bytesMetric, p50Metric, p99Metric, p999Metric, allocsMetric, sizesMetric,
}

// meter tells what a server has used.
type meter interface {
	begin() (child.Reply, error)
	end() (child.Reply, error)
}

// childMeter asks the child itself.
type childMeter struct{ *child.Process }

func (m childMeter) begin() (child.Reply, error) { return m.Do(child.Request{Op: child.OpBegin}) }
func (m childMeter) end() (child.Reply, error)   { return m.Do(child.Request{Op: child.OpEnd}) }

// measured runs f between two looks at a server and returns the figures per message.
func measured(m meter, size int, f func() (load.Result, error)) (Sample, error) {
	before, err := m.begin()
	if err != nil {
		return nil, err
	}
	res, err := f()
	if err != nil {
		return nil, err
	}
	after, err := m.end()
	if err != nil {
		return nil, err
	}
	n := float64(res.Messages)
	s := Sample{
		"rate":  n / res.Elapsed.Seconds(),
		"bytes": n * float64(size) / res.Elapsed.Seconds() / 1e6,
	}
	if after.CPU > 0 {
		s["cpu"] = micros(after.CPU-before.CPU) / n
	}
	if after.Mallocs > 0 {
		s["allocs"] = float64(after.Mallocs-before.Mallocs) / n
		s["gcs"] = float64(after.GCs - before.GCs)
		s["allocBytes"] = float64(after.TotalAlloc-before.TotalAlloc) / n
	}
	if res.P50 > 0 {
		s["p50"], s["p99"], s["p999"] = micros(res.P50), micros(res.P99), micros(res.P999)
	}
	return s, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// server starts a library's server.
func (c *Config) server(l libs.Lib, s child.Setup) (*child.Process, error) {
	s.Lib, s.Cert, s.Key = l.Name, c.Cert, c.Key
	if c.Profiles != "" {
		c.profiles++
		name := fmt.Sprintf("row-%s-%s-%d.pprof", c.table, strings.ReplaceAll(l.Name, "/", "-"), c.profiles)
		s.Profile = filepath.Join(c.Profiles, name)
	}
	if l.Plain {
		s.TLS = false
	}
	return child.Start(s)
}

// target is where the load finds it.
func (c *Config) target(l libs.Lib, p *child.Process, overTLS bool) (load.Target, error) {
	t := load.Target{Addr: p.Addr, Raw: l.Raw}
	if overTLS && !l.Plain {
		cfg, err := child.ClientTLS(c.Cert)
		if err != nil {
			return t, err
		}
		t.TLS = cfg
	}
	return t, nil
}

// linesOf makes lines of the libraries of these names.
func linesOf(names []string, open func(ctx context.Context, l libs.Lib) (Session, error)) []Line {
	var lines []Line
	for _, name := range names {
		l, err := libs.Find(name)
		if err != nil {
			panic(err)
		}
		lines = append(lines, Line{
			Name: l.Name, Kind: l.Kind, Setup: l.Setup,
			Open: func(ctx context.Context) (Session, error) { return open(ctx, l) },
		})
	}
	return lines
}

// instead returns the lines of a plan that has its own, or else those of a table.
func (c *Config) instead(lines []string) []string {
	if c.lines != nil {
		return c.lines
	}
	return lines
}

var peers = []string{"gorilla", "coder", "gobwas", "gws", "x/net"}

// with returns names before and after the peers.
func with(before []string, after ...string) []string {
	return append(append(append([]string{}, before...), peers...), after...)
}
