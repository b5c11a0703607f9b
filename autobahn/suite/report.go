package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// Report is what a run has shown about one server, or one client.
type Report struct {
	// Agent is the name of what was tested.
	Agent string
	// Cases are the ids of the cases that were selected, in the suite's order.
	Cases []string
	// Results are theirs, in the same order. A client may have left some out.
	Results []*Result
}

// name gives the report a name if the options had none, the same to all results.
func (r *Report) name(address string) {
	for _, result := range r.Results {
		if r.Agent == "" {
			r.Agent = result.Agent
		}
	}
	if r.Agent == "" {
		u, err := url.Parse(address)
		if err == nil {
			r.Agent = u.Host
		}
	}
	for _, result := range r.Results {
		result.Agent = r.Agent
	}
}

// Passes reports whether every selected case was run, and passes.
func (r *Report) Passes() bool { return len(r.Problems(nil)) == 0 }

// summary is the report as package report knows it.
func (r *Report) summary() *report.Report {
	s := &report.Report{Agent: r.Agent, Cases: map[string]report.Case{}}
	for _, result := range r.Results {
		s.Cases[result.ID] = result.outcome("")
	}
	return s
}

// Problems returns every selected case that does not pass, or was not run, unless a golden file has it with just those
// verdicts, and every one that the file has and that passes. nil knows of no deviation.
func (r *Report) Problems(known *report.Golden) []report.Problem {
	return known.Problems(r.summary(), r.Cases)
}

// UpdateGolden returns the golden file that the report passes with, with the reasons that known has.
func (r *Report) UpdateGolden(known *report.Golden) *report.Golden {
	return known.Update(r.summary(), r.Cases)
}

// WriteTable writes a row for each group of cases, and every case that did not pass with what was seen.
func (r *Report) WriteTable(w io.Writer) error { return r.WriteTableKnowing(w, nil) }

// WriteTableKnowing does the same with a golden file: it writes the problems that [Report.Problems] returns.
func (r *Report) WriteTableKnowing(w io.Writer, known *report.Golden) error {
	return known.WriteTable(w, r.summary(), r.Cases)
}

// indexEntry is a case in index.json.
type indexEntry struct {
	Behavior        report.Behavior `json:"behavior"`
	BehaviorClose   report.Behavior `json:"behaviorClose"`
	RemoteCloseCode *int            `json:"remoteCloseCode"`
	Duration        int64           `json:"duration"` // milliseconds
	ReportFile      string          `json:"reportfile"`
}

// WriteJSON writes the report into a directory, as the function of that name does for several.
func (r *Report) WriteJSON(dir string) error { return WriteJSON(dir, r) }

// WriteJSON writes index.json and a file for every case into a directory, which it makes if need be, in the original's
// formats: [report.Read] and whatever reads the original's reports can read them.
func WriteJSON(dir string, reports ...*Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index := map[string]map[string]indexEntry{}
	var errs []error
	for i, stem := range stems(reports) {
		entries := map[string]indexEntry{}
		for _, result := range reports[i].Results {
			file := fileName(stem, result.ID, ".json")
			entries[result.ID] = indexEntry{
				result.Behavior, result.BehaviorClose, result.RemoteCloseCode, result.Duration.Milliseconds(), file,
			}
			errs = append(errs, writeJSON(filepath.Join(dir, file), result))
		}
		index[reports[i].Agent] = entries
	}
	errs = append(errs, writeJSON(filepath.Join(dir, "index.json"), index))
	return errors.Join(errs...)
}

func writeJSON(path string, v any) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "   ")
	if err := e.Encode(v); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
