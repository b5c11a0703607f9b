package rows

import (
	"math"
	"testing"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/micro"
	"github.com/seed-c4549abd/wss/bench/report"
)

func TestBoundsAreMadeOfMedians(t *testing.T) {
	kept := func(name, metric string, v ...float64) report.Line {
		return report.Line{Name: name, Rounds: map[string][]float64{metric: v}}.Summarised()
	}
	cipher := report.Line{Name: "crypto/cipher", Rounds: map[string][]float64{
		micro.CipherGroup("seal", 16384): {4000}, micro.CipherGroup("open", 16384): {6000},
	}}.Summarised()
	r := &report.Report{Tables: []report.Table{
		{Key: "3", Lines: []report.Line{line("wss", libs.Ours, 90, 90), line("tcp", libs.Baseline, 40, 60, 50), line("tcp-whole", libs.Baseline, 45), line("best", libs.Peer, 100)}},
		{Key: "cipher", Lines: []report.Line{cipher}},
		{Key: "7a", Lines: []report.Line{kept("tls-idle", "heap", 8000), kept("wss", "memory", 12000), kept("best", "memory", 20096)}},
		{Key: "14a", Lines: []report.Line{line("http-hijack", libs.Baseline, 101), line("best", libs.Peer, 100)}},
		{Key: "11", Lines: []report.Line{kept("touch", "4 KiB", 49), kept("best", "4 KiB", 50)}},
		{Key: "16", Metrics: []report.Metric{{Key: "cpu 10"}, {Key: "cpu 100"}}, Lines: []report.Line{
			{Name: "tls", Rounds: map[string][]float64{"cpu 10": {2}, "cpu 100": {3}}},
		}},
	}}
	for _, tt := range []struct {
		name  string
		bound bound
		table string
		want  float64
	}{
		{"the kernel and four records", kernelAndCipher(16384, 4, "seal", "open"), "3", 0.85},
		{"the kernel and four records that are only sealed", kernelAndCipher(16384, 4, "seal"), "3", 0.61},
		{"a tls.Conn and a stack", byIdleTLS(0), "7a", 0.5},
		{"and two windows of 4 KiB", byIdleTLS(12), "7a", (8000 + 2048 + 8192) / 20096.},
		{"a connection that is only taken over", byHijack, "14a", 1.01},
		{"a change in each cache line", byTouch, "11", 0.98},
		{"another line's growth", byGrowth("tls"), "16", 1.5},
	} {
		m := report.Mark{Against: "best", Where: "4 KiB"}
		if got, why, ok := tt.bound(r, r.Find(tt.table), &m); !ok || why == "" || math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, %q, %v, want %v", tt.name, got, why, ok, tt.want)
		}
	}
	if _, _, ok := kernelAndCipher(128, 1, "seal")(r, r.Find("3"), &report.Mark{Against: "best"}); ok {
		t.Error("a bound of what was not measured")
	}
	if _, _, ok := byGrowth("gone")(r, r.Find("16"), &report.Mark{}); ok {
		t.Error("a bound by a line that is not there")
	}
}
