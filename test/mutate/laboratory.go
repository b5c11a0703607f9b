package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// slowTest is how long a test may take to be run among the first.
	slowTest = 300 * time.Millisecond
	// grace is what any run may take, besides a multiple of what it usually takes.
	grace = 10 * time.Second
)

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
	dir      string
	name     string                   // the package
	usual    map[string]time.Duration // how long each test takes without a change
	patience int                      // how many times as long it may take
	skip     string                   // matches the tests that are left out, none if it is empty
	grace    time.Duration
}

// newLaboratory copies the module in the working directory, and measures the package's tests but those that skip matches.
func newLaboratory(ctx context.Context, name string, patience int, skip string) (*laboratory, error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return nil, err
	}
	l := &laboratory{dir: dir, name: name, patience: patience, skip: skip, grace: grace}
	if err := l.prepare(ctx); err != nil {
		l.close()
		return nil, fmt.Errorf("%s without a change: %w", name, err)
	}
	return l, nil
}

func (l *laboratory) prepare(ctx context.Context) error {
	if err := copyModule(".", l.dir); err != nil {
		return err
	}
	if ok, err := l.build(ctx); err != nil || !ok {
		return errors.Join(errors.New("its tests do not compile"), err)
	}
	out, err := l.command(ctx, "-test.v", "-test.skip", l.skip).Output()
	if err != nil {
		return fmt.Errorf("its tests fail: %w\n%s", err, out[max(len(out)-2000, 0):])
	}
	l.usual = durations(string(out))
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
	for _, tests := range l.order(path) {
		if s, err := l.run(ctx, tests); s != lived || err != nil {
			return s, err
		}
	}
	return lived, nil
}

// run runs some of the compiled tests.
func (l *laboratory) run(ctx context.Context, tests []string) (status, error) {
	limit := l.grace
	for _, name := range tests {
		limit += l.usual[name] * time.Duration(l.patience)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := l.command(within, "-test.run", "^("+strings.Join(tests, "|")+")$").Run()
	_, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case within.Err() != nil:
		return timedOut, nil
	case failed:
		return killed, nil
	case err != nil:
		return "", err
	}
	return lived, nil
}

// order returns the tests in the order in which they are run until one fails: those in the file next to the changed one, then those
// that are not slow, then the slow ones.
func (l *laboratory) order(path string) [][]string {
	source, _ := os.ReadFile(strings.TrimSuffix(path, ".go") + "_test.go") // there may be none
	var own, quick, slow []string
	for _, name := range slices.Sorted(maps.Keys(l.usual)) {
		switch {
		case strings.Contains(string(source), "func "+name+"("):
			own = append(own, name)
		case l.usual[name] <= slowTest:
			quick = append(quick, name)
		default:
			slow = append(slow, name)
		}
	}
	return slices.DeleteFunc([][]string{own, quick, slow}, func(tests []string) bool { return len(tests) == 0 })
}

// build compiles the package's tests, and reports whether that was possible.
func (l *laboratory) build(ctx context.Context) (bool, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", l.binary(), "./"+l.name)
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

var testResult = regexp.MustCompile(`(?m)^--- (?:PASS|SKIP): (\w+) \(([0-9.]+)s\)`)

// durations reads from the output with -test.v how long each test took.
func durations(out string) map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, m := range testResult.FindAllStringSubmatch(out, -1) {
		seconds, _ := strconv.ParseFloat(m[2], 64)
		all[m[1]] = time.Duration(seconds * float64(time.Second))
	}
	return all
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
