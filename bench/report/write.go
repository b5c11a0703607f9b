package report

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Write puts report.json, report.md and the plots into a directory, which it makes.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
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
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.md"), []byte(r.Markdown(plots)), 0o644)
}
