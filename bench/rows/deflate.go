package rows

import (
	"context"
	"fmt"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

const (
	deflateSize  = 1 << 10
	deflateCount = 128 // messages of a ring: 128 KiB
	idleWindow   = 8   // of them at a time, before connections are left alone
)

// variant is a library with a size of windows.
type variant struct {
	lib, name string
	bits      int
	kind      libs.Kind
}

var variants = []variant{
	{"wss", "wss", 0, libs.Ours},
	{"wss", "wss, 12 bits", 12, libs.Ours},
	{"gws", "gws, 12 bits (its default)", 12, libs.Peer},
	{"gws", "gws, 15 bits", 15, libs.Peer},
	{"coder", "coder", 0, libs.Peer},
	{"gorilla", "gorilla, no takeover", 0, libs.Baseline},
}

var deflateAbsent = []report.Absent{
	{Name: "gobwas", Reason: "has no context takeover, and compresses only in code that the user writes"},
	{Name: "x/net", Reason: "knows no compression"},
}

// deflateTables are row 15.
func (c *Config) deflateTables() []Table {
	rings := load.NewRings(load.Orders(deflateCount, deflateSize), 64)
	note := "Windows of 15 bits unless a line says otherwise. gorilla has no context takeover, and does not count as the best."
	records := " tls-idle echoes as many bytes as the compressed messages have."
	cpu := Table{OneProcessor: true, Table: report.Table{
		Row: 15, Key: "15a", Title: "1 KiB of JSON, compressed with context takeover, 64 in flight", Metrics: echoMetrics, Note: note, Absent: deflateAbsent,
	}}
	idle := Table{Table: report.Table{
		Row: 15, Key: "15b", Title: "idle connections whose windows are full", Metrics: memoryMetrics, Note: note + records, Absent: deflateAbsent,
	}, NoWarmup: true, Rounds: 1, Apart: !c.Quick}
	for _, v := range variants {
		l, err := libs.Find(v.lib)
		if err != nil {
			panic(err)
		}
		line := Line{Name: v.name, Lib: v.lib, Kind: v.kind, Setup: l.Setup}
		line.Open = func(ctx context.Context) (Session, error) { return c.openDeflate(ctx, l, v, rings) }
		cpu.Do = append(cpu.Do, line)
		line.Open = func(ctx context.Context) (Session, error) { return c.openIdleDeflate(l, v, rings) }
		idle.Do = append(idle.Do, line)
	}
	idle.Do = append(idle.Do, linesOf([]string{"tls-idle"}, func(_ context.Context, l libs.Lib) (Session, error) {
		return c.openIdleRecords(l, rings)
	})...)
	return []Table{cpu, idle}
}

func (c *Config) openDeflate(ctx context.Context, l libs.Lib, v variant, rings *load.Rings) (Session, error) {
	p, err := c.server(l, child.Setup{TLS: true, Message: deflateSize, Deflate: true, WindowBits: v.bits})
	if err != nil {
		return nil, err
	}
	s := &echoSession{process: p, shape: shape{size: deflateSize, window: 64}, window: c.Window}
	target, err := c.target(l, p, true)
	if err == nil {
		target.Offer = load.DeflateOffer
		err = load.VerifyDeflate(ctx, target, rings, 3*deflateCount)
	}
	if err == nil {
		s.group, err = load.Open(ctx, load.Plan{Target: target, Conns: 1, Window: 64, MakeRing: rings.For})
	}
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("compressed: %w", err)
	}
	return s, nil
}

// openIdleDeflate is idle memory after 128 KiB in both directions.
func (c *Config) openIdleDeflate(l libs.Lib, v variant, rings *load.Rings) (Session, error) {
	s := &idleSession{
		config: c, lib: l, tls: true, conns: c.conns(500, 200), floods: deflateCount / idleWindow, window: idleWindow,
		setup: child.Setup{Message: deflateSize, Deflate: true, WindowBits: v.bits},
	}
	s.group = func(ctx context.Context, t load.Target) (*load.Group, error) {
		t.Offer = load.DeflateOffer
		return load.Open(ctx, load.Plan{Target: t, Conns: s.conns, Window: idleWindow, MakeRing: rings.For})
	}
	return s, s.prepare()
}

// openIdleRecords is idle memory after as many bytes as the compressed messages have, without
// compression: crypto/tls keeps more after longer records.
func (c *Config) openIdleRecords(l libs.Lib, rings *load.Rings) (Session, error) {
	size, err := rings.Mean()
	if err != nil {
		return nil, err
	}
	s := &idleSession{config: c, lib: l, tls: true, conns: c.conns(500, 200), floods: deflateCount / idleWindow, window: idleWindow}
	s.group = func(ctx context.Context, t load.Target) (*load.Group, error) {
		return load.Open(ctx, load.Plan{Target: t, Conns: s.conns, Window: idleWindow, Ring: load.RingFor(size, idleWindow)})
	}
	return s, s.prepare()
}
