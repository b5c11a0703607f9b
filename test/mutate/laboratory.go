package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// slowTest is how long a test may take to be run among the first.
const slowTest = 300 * time.Millisecond

// status is what the tests said about a mutant.
type status string

const (
	killed    status = "killed"     // a test failed
	timedOut  status = "timed out"  // the tests did not end in time
	lived     status = "lived"      // all tests passed
	notViable status = "not viable" // it does not compile
)

// laboratory is a copy of the module in which one package is changed and tested.
type laboratory struct {
	dir   string
	name  string        // the package
	slow  string        // matches the tests that take longer than slowTest; empty if none does
	limit time.Duration // how long all tests may take
}

// newLaboratory copies the module in the working directory, runs the package's tests once, and gives each later run patience
// times as long.
func newLaboratory(ctx context.Context, name string, patience int) (*laboratory, error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return nil, err
	}
	l := &laboratory{dir: dir, name: name, limit: 10 * time.Minute}
	if err := l.prepare(ctx, patience); err != nil {
		l.close()
		return nil, fmt.Errorf("%s without a change: %w", name, err)
	}
	return l, nil
}

func (l *laboratory) prepare(ctx context.Context, patience int) error {
	if err := copyModule(".", l.dir); err != nil {
		return err
	}
	if ok, err := l.build(ctx); err != nil || !ok {
		return errors.Join(errors.New("its tests do not compile"), err)
	}
	began := time.Now()
	out, err := l.command(ctx, "-test.v").Output()
	if err != nil {
		return fmt.Errorf("its tests fail: %w\n%s", err, out[max(len(out)-2000, 0):])
	}
	l.limit = max(time.Since(began)*time.Duration(patience), 10*time.Second)
	l.slow = names(slowTests(string(out)))
	return nil
}

func (l *laboratory) close() { _ = os.RemoveAll(l.dir) }

// try makes a change, runs the tests, and takes it back.
func (l *laboratory) try(ctx context.Context, m mutant) (status, error) {
	path := filepath.Join(l.dir, filepath.FromSlash(m.file))
	before, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	after, err := m.apply(string(before))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
		return "", err
	}
	defer func() { _ = os.WriteFile(path, before, 0o600) }()
	if ok, err := l.build(ctx); err != nil {
		return "", err
	} else if !ok {
		return notViable, nil
	}
	within, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	for _, args := range l.order(path) {
		err := l.command(within, args...).Run()
		var failed *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case within.Err() != nil:
			return timedOut, nil
		case errors.As(err, &failed):
			return killed, nil
		case err != nil:
			return "", err
		}
	}
	return lived, nil
}

// order returns the arguments of the runs that are made until a test fails: first the tests in the file next to the changed one,
// then all that are not slow, then the slow ones.
func (l *laboratory) order(path string) [][]string {
	var runs [][]string
	if own := names(testsOf(strings.TrimSuffix(path, ".go") + "_test.go")); own != "" {
		runs = append(runs, []string{"-test.run", own})
	}
	if l.slow == "" {
		return append(runs, nil)
	}
	return append(runs, []string{"-test.skip", l.slow}, []string{"-test.run", l.slow})
}

// build compiles the package's tests, and reports whether that was possible.
func (l *laboratory) build(ctx context.Context) (bool, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-o", l.binary(), "./"+l.name)
	cmd.Dir = l.dir
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return false, nil
	}
	return true, err
}

func (l *laboratory) binary() string { return filepath.Join(l.dir, "mutate.test") }

// command runs the compiled tests up to the first that fails.
func (l *laboratory) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.binary(), append([]string{"-test.failfast", "-test.timeout=0"}, args...)...)
	cmd.Dir = filepath.Join(l.dir, filepath.FromSlash(l.name))
	cmd.WaitDelay = time.Second
	return cmd
}

var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`)
	testResult   = regexp.MustCompile(`(?m)^--- PASS: (\w+) \(([0-9.]+)s\)`)
)

// testsOf returns the names of the tests in a file, none if there is no such file.
func testsOf(path string) []string {
	source, _ := os.ReadFile(path)
	var all []string
	for _, m := range testFunction.FindAllStringSubmatch(string(source), -1) {
		if m[1] != "TestMain" {
			all = append(all, m[1])
		}
	}
	return all
}

// slowTests returns the names of the tests that took longer than slowTest, as the output with -test.v says.
func slowTests(out string) []string {
	var all []string
	for _, m := range testResult.FindAllStringSubmatch(out, -1) {
		if seconds, err := strconv.ParseFloat(m[2], 64); err == nil && seconds > slowTest.Seconds() {
			all = append(all, m[1])
		}
	}
	return all
}

// names returns a pattern that matches these tests only, and an empty one for none.
func names(tests []string) string {
	if len(tests) == 0 {
		return ""
	}
	return "^(" + strings.Join(tests, "|") + ")$"
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
