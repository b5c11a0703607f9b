package report

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/shares"
	"github.com/seed-c4549abd/wss/bench/stats"
)

// sample is a small report of both kinds of tables.
func sample() *Report {
	line := func(name, kind string, rounds map[string][]float64) Line {
		return Line{Name: name, Kind: kind, Setup: name + " as it is", Rounds: rounds}.Summarised()
	}
	return &Report{
		Machine: Machine{CPU: "a <fast> one", Cores: 2, Peers: []Module{{"example.com/peer", "v1.2.3"}}},
		Marks: []Mark{
			{Row: 1, Work: "echo", Goal: "≤ 0.5 × best peer", Limit: 0.5, Value: stats.Summarise([]float64{0.4, 0.6, 0.7}), Against: "peer", Verdict: Missed, Close: true, Free: &Free{0.55, 0.02}},
			{Row: 2, Work: "text", Goal: "≥ 2 × peer's speed", Limit: 0.5, Value: stats.Summarise([]float64{0.25}), Against: "peer", Verdict: Met, Times: true},
			{Row: 3, Work: "nothing", Goal: "≤ 1", Limit: 1, Verdict: NotMeasured},
		},
		Tables: []Table{
			{
				Row: 1, Key: "1", Title: "echo", Metrics: []Metric{{Key: "cpu", Name: "CPU", Unit: "µs"}, {Key: "none", Name: "never measured"}},
				Lines: []Line{
					line("wss", "ours", map[string][]float64{"cpu": {1.23456, 2, 3}, "hidden": {7}}).sharing(shares.Shares{Parts: map[shares.Kind]float64{shares.Kernel: 0.25, shares.Library: 0.75}, Samples: 42}),
					line("peer", "peer", map[string][]float64{"cpu": {4, 5, 6}}),
				},
				Absent: []Absent{{"other", "cannot"}},
			},
			{
				Row: 2, Key: "2", Title: "sizes", Across: true, Metrics: []Metric{{Key: "1 B", Name: "1 B", Unit: "ns"}, {Key: "2 B", Name: "2 B", Unit: "ns"}},
				Lines: []Line{line("wss", "ours", map[string][]float64{"1 B": {1}, "2 B": {20000}}), line("peer", "peer", map[string][]float64{"1 B": {2}})},
			},
		},
	}
}

func (l Line) sharing(s shares.Shares) Line {
	l.Shares = s
	return l
}

func TestMarkdownSaysEverything(t *testing.T) {
	text := sample().Markdown(map[string]string{"1": "row-1.svg"})
	for _, want := range []string{
		"a <fast> one, 2 cores", "example.com/peer v1.2.3",
		"| **missed**, within the spread |", "| 4.00 ×", "| not measured",
		"| wss  | 2.00 (1.62–2.50) |", "|     | peer  |", "| wss | 0.400 |", "- other: cannot", "![echo](row-1.svg)",
		"| 2 B, ns | 20,000 | –", "peer as it is", "within the spread | 0.550 ± 0.020", "| wss | 25.0 % | 0.0 %", "| 42      |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s\nin\n%s", want, text)
		}
	}
	if strings.Contains(text, "never measured") {
		t.Error("a column without figures is shown")
	}
}

func TestPlotsAreWellFormedAndFitDarkPages(t *testing.T) {
	plots := sample().Plots()
	if len(plots) != 3 {
		t.Errorf("%d plots, want one for each table and one for the marks", len(plots))
	}
	for key, svg := range plots {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", key, err, svg)
			}
		}
		if !strings.Contains(svg, "prefers-color-scheme: dark") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", key, svg)
		}
	}
}

func TestJSONKeepsTheRoundsOfWhatIsShown(t *testing.T) {
	data, err := sample().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	l := back.Find("1").Find("wss")
	if len(l.Rounds["cpu"]) != 3 || l.Rounds["cpu"][0] != 1.235 || l.Values["cpu"].Median != 2 || l.Rounds["hidden"] != nil {
		t.Errorf("%+v", l)
	}
	if !strings.Contains(string(data), `"cpu": [1.235, 2, 3]`) {
		t.Errorf("rounds are not on one line:\n%s", data)
	}
}

func TestAReportIsWrittenAgainAsItWas(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if err := sample().Write(dir); err != nil {
		t.Fatal(err)
	}
	text, data := file("report.md"), file("report.json")
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	if file("report.md") != text || file("report.json") != data {
		t.Errorf("now it is\n%s\nand was\n%s", file("report.md"), text)
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("half a report was read")
	}
	if _, err := Read(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("no report: %v", err)
	}
}

func TestWriteMakesTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := sample().Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report.json", "report.md", "marks.svg", "row-1.svg", "row-2.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheMachineHasNoName(t *testing.T) {
	name, err := os.Hostname()
	if err != nil || len(name) < 4 {
		t.Skip("it has none anyway")
	}
	data, err := json.Marshal(ThisMachine([]string{"github.com/gorilla/websocket"}))
	if err != nil || strings.Contains(string(data), name) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.00042: "0.0004", 0.1234: "0.123", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234.5: "1,234", 1234567: "1,234,567",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
