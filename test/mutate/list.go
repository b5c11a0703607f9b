package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

// gremlins is the tool that finds what can be changed.
const gremlins = "github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0"

// elsewhere are files that no test on one machine can run: they are for other systems or processors.
var elsewhere = []string{`_other\.go$`, `_purego\.go$`, `_arm64\.go$`, `_windows\.go$`, `_generic\.go$`}

// mutant is one change of one operator.
type mutant struct {
	file         string // its path in the module, with slashes
	line, column int    // of the operator, from 1
	kind         string // the name that gremlins gives the change
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d:%d %s", m.file, m.line, m.column, m.kind) }

// list returns the mutants of a package whose description, without the directory, matches.
func list(ctx context.Context, name string, only *regexp.Regexp) ([]mutant, error) {
	out, err := os.CreateTemp("", "mutate-*.json")
	if err != nil {
		return nil, err
	}
	_ = out.Close()
	defer os.Remove(out.Name())
	args := []string{"run", gremlins, "unleash", "./" + name, "--dry-run", "--output", out.Name()}
	for _, pattern := range elsewhere {
		args = append(args, "--exclude-files", pattern)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		b := said.Bytes()
		return nil, fmt.Errorf("%s: %w\n%s", name, err, b[max(len(b)-2000, 0):])
	}
	data, err := os.ReadFile(out.Name())
	if err != nil {
		return nil, err
	}
	return parse(name, data, only)
}

// parse reads the report that gremlins writes about a package. The statuses in it are not used: gremlins takes the conditions of
// cases for not covered, because they belong to no block of the coverage.
func parse(name string, data []byte, only *regexp.Regexp) ([]mutant, error) {
	var report struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []struct {
				Type   string `json:"type"`
				Line   int    `json:"line"`
				Column int    `json:"column"`
			} `json:"mutations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var all []mutant
	for _, f := range report.Files {
		// Names are relative to the package or to the module.
		file := path.Join(name, strings.TrimPrefix(f.Name, name+"/"))
		for _, c := range f.Mutations {
			if m := (mutant{file, c.Line, c.Column, c.Type}); only.MatchString(path.Base(m.String())) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// sample returns n of the mutants, or all if n is 0, in the order of the SHA-256 of the seed and their place. So the same source and seed
// give the same sample on every machine, a larger one begins with the smaller, and a run that is stopped has tested one.
func sample(all []mutant, n int, seed int64) []mutant {
	rank := func(m mutant) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, m))
		return string(sum[:])
	}
	ranked := slices.SortedFunc(slices.Values(all), func(a, b mutant) int { return strings.Compare(rank(a), rank(b)) })
	if n > 0 && n < len(ranked) {
		ranked = ranked[:n]
	}
	return ranked
}

// operators are what is put in an operator's place, by the kind of change.
var operators = map[string]map[string]string{
	"CONDITIONALS_NEGATION": {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">=", ">": "<="},
	"CONDITIONALS_BOUNDARY": {"<=": "<", ">=": ">", "<": "<=", ">": ">="},
	"ARITHMETIC_BASE":       {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*"},
	"INCREMENT_DECREMENT":   {"++": "--", "--": "++"},
	"INVERT_NEGATIVES":      {"-": "+"},
}

// apply returns the source file with the change.
func (m mutant) apply(source string) (string, error) {
	lines := strings.Split(source, "\n")
	if m.line < 1 || m.line > len(lines) || m.column < 1 || m.column > len(lines[m.line-1]) {
		return "", fmt.Errorf("%s: there is no such place", m)
	}
	text := lines[m.line-1]
	rest := text[m.column-1:]
	// The longest operator that is there.
	for _, n := range []int{2, 1} {
		if len(rest) < n {
			continue
		}
		if other, ok := operators[m.kind][rest[:n]]; ok {
			lines[m.line-1] = text[:m.column-1] + other + rest[n:]
			return strings.Join(lines, "\n"), nil
		}
	}
	return "", fmt.Errorf("%s does not apply to %q", m, rest)
}
