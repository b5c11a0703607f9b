package rows

import (
	"fmt"

	"github.com/seed-c4549abd/wss/bench/micro"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/shares"
)

// A bound is how low a mark's figure could be at all: what the mark is compared with does
// not do the library's work, but it does something that the library cannot do without. It
// is made of the medians of the same run.
type bound func(r *report.Report, t *report.Table, m *report.Mark) (value float64, why string, ok bool)

// median returns a line's median of a metric.
func median(t *report.Table, line, metric string) (float64, bool) {
	if t == nil {
		return 0, false
	}
	l := t.Find(line)
	if l == nil {
		return 0, false
	}
	v, ok := l.Values[metric]
	return v.Median, ok && v.N > 0
}

// smallestStack is what a goroutine begins with.
const smallestStack = 2 << 10

// byIdleTLS bounds memory by what crypto/tls keeps, the smallest stack, and what context
// takeover has to remember: a window of bits in each direction (RFC 7692 §7.1.2); 0: none.
func byIdleTLS(bits int) bound {
	return func(_ *report.Report, t *report.Table, m *report.Mark) (float64, string, bool) {
		floor, ok := median(t, "tls-idle", "heap")
		against, ok2 := median(t, m.Against, "memory")
		floor += smallestStack
		why := fmt.Sprintf("the heap of a tls.Conn over the layer below it, and a stack: %.0f B", floor)
		if bits > 0 {
			floor += float64(int(2) << bits)
			why += ", and two windows"
		}
		return floor / against, why, ok && ok2
	}
}

// kernelAndCipher bounds by bare TCP that moves the same bytes in the cheapest way that was
// measured and, in µs, the cipher of their records: each is to be sealed, and opened where
// messages are echoed.
func kernelAndCipher(size, records int, do ...string) bound {
	return func(r *report.Report, t *report.Table, m *report.Mark) (float64, string, bool) {
		tcp, ok := median(t, "tcp", "cpu")
		if whole, ok := median(t, "tcp-whole", "cpu"); ok {
			tcp = min(tcp, whole)
		}
		against, ok2 := median(t, m.Against, "cpu")
		sum := tcp
		for _, do := range do {
			ns, ok := median(r.Find("cipher"), "crypto/cipher", micro.CipherGroup(do, size))
			if !ok {
				return 0, "", false
			}
			sum += ns / 1000 * float64(records)
		}
		return sum / against, fmt.Sprintf("bare TCP (%.2f) and AES-GCM (%.2f)", tcp/against, (sum-tcp)/against), ok && ok2
	}
}

// byHijack bounds accepting by a connection that is taken over, answered and ended without a
// look at the request.
func byHijack(_ *report.Report, t *report.Table, m *report.Mark) (float64, string, bool) {
	hijack, ok := median(t, "http-hijack", "cpu")
	against, ok2 := median(t, m.Against, "cpu")
	return hijack / against, "a connection taken over, over the layer below TLS, with a fixed response", ok && ok2
}

// byTouch bounds masking in place by a change of one word in each cache line, which needs the
// same lines, at the offset that was the worst.
func byTouch(_ *report.Report, t *report.Table, m *report.Mark) (float64, string, bool) {
	touch, ok := median(t, "touch", m.Where)
	against, ok2 := median(t, m.Against, m.Where)
	return touch / against, "a change of one word in each cache line", ok && ok2
}

// byGrowth bounds by another line's own growth.
func byGrowth(line string) bound {
	return func(_ *report.Report, t *report.Table, _ *report.Mark) (float64, string, bool) {
		l := t.Find(line)
		if l == nil {
			return 0, "", false
		}
		s, _ := growth(t, l)
		return s.Median, line + "'s own growth", s.N > 0
	}
}

// bounded notes the bound of a mark, and what would be left without the library's work.
func (g goal) bounded(r *report.Report, t *report.Table, m *report.Mark) {
	if own := t.Find(g.line); own.Shares.Samples > 0 && g.metric == "cpu" {
		m.Free = &report.Free{
			Value:     m.Value.Median * (1 - own.Shares.Parts[shares.Library]),
			Deviation: m.Value.Median * own.Shares.Deviation(shares.Library),
		}
	}
	if g.bound == nil || m.Value.N == 0 {
		return
	}
	if value, why, ok := g.bound(r, t, m); ok {
		m.Bound, m.BoundBy = value, why
	}
}
