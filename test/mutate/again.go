package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// operators are what gremlins puts in an operator's place, by the kind of change.
var operators = map[string]map[string]string{
	"CONDITIONALS_NEGATION": {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">=", ">": "<="},
	"CONDITIONALS_BOUNDARY": {"<=": "<", ">=": ">", "<": "<=", ">": ">="},
	"ARITHMETIC_BASE":       {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*"},
	"INCREMENT_DECREMENT":   {"++": "--", "--": "++"},
	"INVERT_NEGATIVES":      {"-": "+"},
}

// change makes a change in a source file at a place, whose line and column begin with 1.
func change(source, kind string, line, column int) (string, error) {
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1]) {
		return "", fmt.Errorf("there is no place %d:%d", line, column)
	}
	text := lines[line-1]
	rest := text[column-1:]
	// The longest operator that is there.
	for _, n := range []int{2, 1} {
		if len(rest) < n {
			continue
		}
		if other, ok := operators[kind][rest[:n]]; ok {
			lines[line-1] = text[:column-1] + other + rest[n:]
			return strings.Join(lines, "\n"), nil
		}
	}
	return "", fmt.Errorf("%s does not apply to %q", kind, rest)
}

// laboratory is a copy of the module in which changes are made that gremlins leaves out. It takes for not covered what
// belongs to no block of the coverage: the conditions of cases, and constants.
type laboratory struct {
	dir   string
	name  string // the package
	limit time.Duration
}

// newLaboratory copies the module in the working directory, and finds out how long the package's tests take.
func newLaboratory(ctx context.Context, name string, patience int) (*laboratory, error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return nil, err
	}
	l := &laboratory{dir: dir, name: name, limit: 10 * time.Minute}
	if err := copyModule(".", dir); err != nil {
		l.close()
		return nil, err
	}
	began := time.Now()
	if killed, err := l.test(ctx); err != nil || killed {
		l.close()
		return nil, fmt.Errorf("%s: its tests fail without a change (%v)", name, err)
	}
	l.limit = max(time.Since(began)*time.Duration(patience), time.Minute)
	return l, nil
}

func (l *laboratory) close() { _ = os.RemoveAll(l.dir) }

// try makes a change, runs the tests, and takes it back.
func (l *laboratory) try(ctx context.Context, file, kind string, line, column int) (status string, err error) {
	path := filepath.Join(l.dir, filepath.FromSlash(file))
	before, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	after, err := change(string(before), kind, line, column)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
		return "", err
	}
	defer func() { _ = os.WriteFile(path, before, 0o600) }()
	within, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	build := exec.CommandContext(within, "go", "build", "./"+l.name)
	build.Dir = l.dir
	if build.Run() != nil && within.Err() == nil {
		return "NOT VIABLE", nil
	}
	killed, err := l.test(within)
	switch {
	case within.Err() != nil && ctx.Err() == nil:
		return "TIMED OUT", nil
	case err != nil:
		return "", err
	case killed:
		return "KILLED", nil
	}
	return "LIVED", nil
}

// test runs the package's tests, and reports whether one failed.
func (l *laboratory) test(ctx context.Context) (failed bool, err error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-failfast", "-count=1", "-timeout="+l.limit.String(), "./"+l.name)
	cmd.Dir = l.dir
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if _, ok := err.(*exec.ExitError); ok {
		return true, nil
	}
	return false, err
}

// copyModule copies what tests may need.
func copyModule(from, to string) error {
	skip := []string{".git", ".cache", "node_modules", "reports"}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(skip, d.Name()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		target := filepath.Join(to, path)
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o600)
	})
}
