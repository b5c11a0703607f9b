package rows

import (
	"context"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/bench/micro"
	"github.com/seed-c4549abd/wss/bench/report"
)

// microTables are rows 11 to 13, and the opening handshake without a network.
func (c *Config) microTables() []Table {
	table := func(row int, key, title, note string, groups []string, cases func() []micro.Case) Table {
		var metrics []report.Metric
		for _, g := range groups {
			metrics = append(metrics, report.Metric{Key: g, Name: g, Unit: "ns"})
		}
		return Table{
			Table:  report.Table{Row: row, Key: key, Title: title, Note: note, Metrics: metrics, Across: true},
			Custom: func(ctx context.Context, t report.Table) report.Table { return c.measureMicro(ctx, t, cases()) },
		}
	}
	header := table(12, "12", "parsing and appending frame headers",
		"ns per header. gobwas reads from an io.Reader and writes to an io.Writer, which are memory here. The others export no codec.",
		micro.HeaderGroups(), micro.HeaderCases)
	header.Metrics = append(header.Metrics, report.Metric{Key: "allocs", Name: "allocations, at most"})
	cipher := table(3, "cipher", "what the cipher of TLS records costs",
		"ns per record of AES-128-GCM, which every connection here uses. It is a part of the bounds that the marks name.",
		micro.CipherGroups(), micro.CipherCases)
	return []Table{
		cipher,
		table(11, "11", "masking",
			"ns per payload, the mean of every position of the key (0 to 3) in aligned and in unaligned memory. wss, gobwas and subtle.XORBytes (with a key that was expanded beforehand) work in place; wss-copy masks while it copies; memmove only copies; touch changes one word of each cache line, in place. The others export no masking.",
			micro.MaskGroups(), micro.MaskCases),
		header,
		table(13, "13", "validating 64 KiB of UTF-8 in fragments",
			"ns per 64 KiB. wss and gobwas keep their state across fragments cut anywhere; utf8.Valid gets fragments that end with a character.",
			micro.UTF8Groups(""), micro.UTF8Cases),
		table(14, "14c", "answering an opening handshake in memory",
			"ns per handshake, without TLS and without a network. gorilla's includes making its connection.",
			micro.HandshakeGroups(), micro.HandshakeCases),
	}
}

// timing collects the rounds of the implementations.
type timing struct {
	lines []string
	kinds map[string]string
	// values by line and metric. A metric that stands for several cases has their
	// mean; the cases have metrics of their own, too.
	values map[string]map[string][]float64
}

// Functions are measured in few rounds, as they differ little, but each is the least of several
// passes: what a neighbour on the machine takes away, from one function more than from another,
// only ever adds.
const (
	microRounds = 3
	microPasses = 3
)

// measureMicro interleaves the implementations case by case.
func (c *Config) measureMicro(ctx context.Context, t report.Table, cases []micro.Case) report.Table {
	settle, each := pick(c, 5*time.Millisecond, 0), pick(c, time.Millisecond, 500*time.Microsecond)
	tm := &timing{kinds: map[string]string{}, values: map[string]map[string][]float64{}}
	for range min(c.Rounds, microRounds) {
		least := map[*micro.Func]float64{}
		for range pick(c, microPasses, 1) {
			for _, k := range cases {
				if ctx.Err() != nil {
					return t
				}
				for i := range k.Funcs {
					f := &k.Funcs[i]
					if !c.takesPart(f.Lib) {
						continue
					}
					ns := micro.Time(f.Do, settle, each)
					if before, ok := least[f]; ok {
						ns = min(ns, before)
					}
					least[f] = ns
				}
			}
		}
		tm.note(cases, least)
	}
	if t.Row == 12 {
		tm.allocs(cases)
	}
	return tm.table(t)
}

// note adds a round: each case, and the mean of each group.
func (tm *timing) note(cases []micro.Case, ns map[*micro.Func]float64) {
	sums, counts := map[string]map[string]float64{}, map[string]int{}
	for _, k := range cases {
		counts[k.Group]++
		for i := range k.Funcs {
			f := &k.Funcs[i]
			took, ok := ns[f]
			if !ok {
				continue
			}
			tm.add(f.Lib, f.Kind.String(), fine(k), took)
			if sums[f.Lib] == nil {
				sums[f.Lib] = map[string]float64{}
			}
			sums[f.Lib][k.Group] += took
		}
	}
	for lib, groups := range sums {
		for g, sum := range groups {
			tm.add(lib, "", g, sum/float64(counts[g]))
		}
	}
}

// takesPart is takes, but the functions that nobody names with -libs stay: they are what
// the libraries' are compared with.
func (c *Config) takesPart(name string) bool {
	for _, l := range peers {
		if l == name {
			return c.takes(name)
		}
	}
	return true
}

// fine names a case by itself.
func fine(k micro.Case) string {
	if k.Name == "" {
		return k.Group + " alone"
	}
	return k.Group + ", " + k.Name
}

func (tm *timing) add(lib, kind, metric string, ns float64) {
	if tm.values[lib] == nil {
		tm.values[lib] = map[string][]float64{}
		tm.lines = append(tm.lines, lib)
	}
	if kind != "" {
		tm.kinds[lib] = kind
	}
	tm.values[lib][metric] = append(tm.values[lib][metric], ns)
}

// allocs notes the most allocations of any case.
func (tm *timing) allocs(cases []micro.Case) {
	most := map[string]float64{}
	for _, k := range cases {
		for _, f := range k.Funcs {
			most[f.Lib] = max(most[f.Lib], testing.AllocsPerRun(50, func() { f.Do(1) }))
		}
	}
	for _, lib := range tm.lines {
		tm.add(lib, "", "allocs", most[lib])
	}
}

func (tm *timing) table(t report.Table) report.Table {
	for _, name := range tm.lines {
		l := report.Line{Name: name, Kind: tm.kinds[name], Rounds: tm.values[name]}
		t.Lines = append(t.Lines, l.Summarised())
	}
	return t
}
