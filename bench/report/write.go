package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// Write puts report.json, report.md and the plots into a directory, which it makes.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r = r.short() // so that they agree, now and when they are written again
	plots := map[string]string{}
	for key, svg := range r.Plots() {
		plots[key] = "row-" + key + ".svg"
		if key == "marks" {
			plots[key] = "marks.svg"
		}
		if err := os.WriteFile(filepath.Join(dir, plots[key]), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	data, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), data, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.md"), []byte(r.Markdown(plots)), 0o644)
}

// Read returns the report that a directory holds.
func Read(dir string) (*Report, error) {
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		return nil, err
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("report.json: %w", err)
	}
	return r, nil
}

// JSON writes the report for programs: indented, but for the rounds, of which there are
// many.
func (r *Report) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(r.short(), "", " ")
	return append(joinNumbers(data), '\n'), err
}

// short returns the report as it is kept: with rounded figures, and without metrics that no
// table shows; what they were for is in the marks.
func (r *Report) short() *Report {
	short := *r
	short.Tables = make([]Table, len(r.Tables))
	for i, t := range r.Tables {
		lines := make([]Line, len(t.Lines))
		for k, l := range t.Lines {
			lines[k] = l.only(t.Metrics)
		}
		t.Lines = lines
		short.Tables[i] = t
	}
	return &short
}

// only returns the line with these metrics alone.
func (l Line) only(metrics []Metric) Line {
	rounds := map[string][]float64{}
	for _, m := range metrics {
		for _, v := range l.Rounds[m.Key] {
			rounds[m.Key] = append(rounds[m.Key], rounded(v))
		}
	}
	l.Rounds = rounds
	return l.Summarised()
}

// rounded keeps four significant digits.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil || math.IsInf(r, 0) {
		return v
	}
	return r
}

// joinNumbers puts arrays of numbers, and objects that hold only numbers, on one line.
func joinNumbers(data []byte) []byte {
	var out bytes.Buffer
	for len(data) > 0 {
		i := bytes.IndexAny(data, "[{")
		if i < 0 {
			break
		}
		out.Write(data[:i+1])
		data = data[i+1:]
		end := bytes.IndexAny(data, "[]{}")
		if end < 0 || data[end] == '[' || data[end] == '{' || !onlyNumbers(data[:end]) {
			continue
		}
		out.Write(bytes.Join(bytes.Fields(data[:end]), []byte(" ")))
		data = data[end:]
	}
	out.Write(data)
	return out.Bytes()
}

// onlyNumbers reports whether JSON has no strings but short names of members.
func onlyNumbers(b []byte) bool {
	return !bytes.Contains(b, []byte(`: "`)) && !bytes.Contains(b, []byte("\",\n")) && !bytes.HasSuffix(bytes.TrimSpace(b), []byte(`"`))
}
