package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
)

// sampleReport has three tables; in the last uWebSockets is missing.
func sampleReport() *report.Report {
	line := func(name string, kind libs.Kind, cpu ...float64) report.Line {
		return report.Line{
			Name: name, Kind: kind.String(), Setup: "set up as " + name, Rounds: map[string][]float64{"cpu": cpu},
		}.Summarised()
	}
	r := &report.Report{
		Machine: report.Machine{CPU: "a CPU", Peers: []report.Module{{Path: "rustls", Version: "0.1.2"}}},
		Tables: []report.Table{
			{Row: 1, Key: "1", Title: "small", Metrics: metrics, Lines: []report.Line{
				line(served, libs.Ours, 1, 2, 3), line(bare, libs.Baseline, 1, 1, 1),
				line(uws, libs.Peer, 2, 4, 6), line(fast, libs.Peer, 0.5, 1, 1.5),
			}},
			{Row: 4, Key: "4", Title: "large", Metrics: metrics, Lines: []report.Line{
				line(served, libs.Ours, 9, 11, 13), line(streamed, libs.Ours, 20, 20, 20), line(uws, libs.Peer, 10, 10, 10),
			}},
			{Row: 6, Key: "6a", Title: "many", Metrics: metrics, Lines: []report.Line{line(served, libs.Ours, 1)},
				Absent: []report.Absent{{Name: uws, Reason: "cc is not installed"}}},
		},
	}
	r.Marks = compare(r)
	return r
}

func TestRatiosAreMadeRoundByRound(t *testing.T) {
	r := sampleReport()
	m := find(r.Marks, &r.Tables[0], served, uws)
	if m.Value.Median != 0.5 || m.Value.Q1 != 0.5 || m.Value.N != 3 || m.Verdict != report.Met || m.Close {
		t.Errorf("%+v", m)
	}
	if m := find(r.Marks, &r.Tables[0], served, fast); m.Value.Median != 2 || m.Verdict != "" || m.Goal != "" {
		t.Errorf("there is no aim beside %s: %+v", fast, m)
	}
	if m := find(r.Marks, &r.Tables[1], served, uws); m.Verdict != report.Missed || !m.Close {
		t.Errorf("a median of 1.1 with a quartile of 1.0 is missed, within the spread: %+v", m)
	}
	if m := find(r.Marks, &r.Tables[2], served, uws); m.Verdict != report.NotMeasured {
		t.Errorf("%+v", m)
	}
}

func TestTheVerdictSaysWhereItHolds(t *testing.T) {
	want := "At or below uWebSockets' CPU per message, in pure Go: 1 wss (0.50 ×).\n\n" +
		"Above it: 4 wss (1.10 ×), 4 wss-stream (2.00 ×).\n"
	if got := verdict(sampleReport()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := verdict(&report.Report{}); !strings.Contains(got, "could not be measured") {
		t.Errorf("%q", got)
	}
}

func TestTheReportSaysEverything(t *testing.T) {
	text := markdown(sampleReport())
	for _, want := range []string{
		"a CPU", "rustls 0.1.2", "0.50 (0.50–0.50)", "| yes", "| **no**, within the spread", "not measured",
		"uWebSockets: cc is not installed", "set up as wss-stream", "## 6a. many",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s\nin\n%s", want, text)
		}
	}
}

func TestTheReportIsTwoFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := write(sampleReport(), dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"foreign.md": "in pure Go: 1 wss", "foreign.json": `"against": "uWebSockets"`} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, want %s in\n%s", name, err, want, data)
		}
	}
}
