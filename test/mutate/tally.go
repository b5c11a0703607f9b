package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// found is what gremlins writes.
type found struct {
	Files []struct {
		Name      string `json:"file_name"`
		Mutations []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
			Line   int    `json:"line"`
			Column int    `json:"column"`
		} `json:"mutations"`
	} `json:"files"`
}

// tally is a package's line of the table.
type tally struct {
	name                                     string
	killed, timedOut, equivalent, notCovered int
	survivors, bare                          []string
}

func (t *tally) lived() int { return len(t.survivors) }

// efficacy is the part of the changes that tests reached, and that can be noticed, that they did notice.
func (t *tally) efficacy() float64 {
	n := t.killed + t.timedOut
	if n+t.lived() == 0 {
		return 1
	}
	return float64(n) / float64(n+t.lived())
}

// equivalent is a change that no test can notice, as docs/mutation.md has it.
type equivalent struct{ file, code, mutation string }

// count reads what gremlins found in a package. line returns a line of a file; again says what becomes of a change that gremlins
// left out.
func count(name string, data []byte, known []equivalent, line func(file string, n int) string, again func(file, kind string, line, column int) (string, error)) (tally, error) {
	t := tally{name: name}
	var f found
	if err := json.Unmarshal(data, &f); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	for _, file := range f.Files {
		// Names are relative to the package or to the module.
		file.Name = path.Join(name, strings.TrimPrefix(file.Name, name+"/"))
		for _, m := range file.Mutations {
			code := line(file.Name, m.Line)
			where := fmt.Sprintf("%s:%d:%d %s: %s", file.Name, m.Line, m.Column, m.Type, code)
			if m.Status == "NOT COVERED" && again != nil {
				var err error
				if m.Status, err = again(file.Name, m.Type, m.Line, m.Column); err != nil {
					return t, fmt.Errorf("%s: %w", where, err)
				}
			}
			switch m.Status {
			case "KILLED":
				t.killed++
			case "TIMED OUT":
				t.timedOut++
			case "LIVED":
				if slices.ContainsFunc(known, func(e equivalent) bool {
					return e.file == file.Name && e.mutation == m.Type && strings.Contains(code, e.code)
				}) {
					t.equivalent++
				} else {
					t.survivors = append(t.survivors, where)
				}
			case "NOT COVERED":
				t.notCovered++
				t.bare = append(t.bare, where)
			}
		}
	}
	slices.Sort(t.survivors)
	slices.Sort(t.bare)
	return t, nil
}

// equivalents reads the table of a file: file, code, mutation and why. Without the file there are none.
func equivalents(name string) ([]equivalent, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []equivalent
	for row := range strings.Lines(string(data)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), " | ")
		if len(cells) != 4 || !strings.Contains(cells[0], ".go`") {
			continue
		}
		for i := range cells[:3] {
			cells[i] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(cells[i]), "`"), `\|`, "|")
		}
		all = append(all, equivalent{cells[0], cells[1], cells[2]})
	}
	return all, nil
}

// sourceLine returns a line of a file, without its indentation.
func sourceLine(file string, n int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(data), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}
