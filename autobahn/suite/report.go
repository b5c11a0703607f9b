package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// Report is what a run has shown about one server.
type Report struct {
	// Agent is the server's name.
	Agent string
	// Results are those of the selected cases, in the suite's order.
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

// Passes reports whether every case passes.
func (r *Report) Passes() bool {
	for _, result := range r.Results {
		if !result.Passes() {
			return false
		}
	}
	return true
}

// WriteTable writes a row for each group of cases, and every case that did not pass with what was seen.
func (r *Report) WriteTable(w io.Writer) error {
	summary := &report.Report{Agent: r.Agent, Cases: map[string]report.Case{}}
	var ids []string
	for _, result := range r.Results {
		ids = append(ids, result.ID)
		summary.Cases[result.ID] = result.outcome("")
	}
	return summary.WriteTable(w, ids)
}

// indexEntry is a case in index.json.
type indexEntry struct {
	Behavior        report.Behavior `json:"behavior"`
	BehaviorClose   report.Behavior `json:"behaviorClose"`
	RemoteCloseCode *int            `json:"remoteCloseCode"`
	Duration        int64           `json:"duration"` // milliseconds
	ReportFile      string          `json:"reportfile"`
}

// WriteJSON writes index.json and a file for every case into a directory, which it makes if need be, in the original's
// formats: [report.Read] and whatever reads the original's reports can read them.
func (r *Report) WriteJSON(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries := map[string]indexEntry{}
	var errs []error
	for _, result := range r.Results {
		file := fileName(r.Agent, result.ID)
		entries[result.ID] = indexEntry{
			result.Behavior, result.BehaviorClose, result.RemoteCloseCode, result.Duration.Milliseconds(), file,
		}
		errs = append(errs, writeJSON(filepath.Join(dir, file), result))
	}
	errs = append(errs, writeJSON(filepath.Join(dir, "index.json"), map[string]any{r.Agent: entries}))
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

// fileName is the name of a case's report: of the agent only letters and digits stay.
func fileName(agent, id string) string {
	cleaned := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return ' '
	}, strings.ToLower(strings.TrimSpace(agent)))
	return strings.ReplaceAll(strings.TrimSpace(cleaned), " ", "_") + "_case_" + strings.ReplaceAll(id, ".", "_") + ".json"
}
