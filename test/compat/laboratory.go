package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// laboratory runs the tests of programs in a directory of its own.
type laboratory struct {
	root  string // of this repository
	work  string
	turns chan struct{} // one for each run at a time
}

// outcomes are how tests ended, by package and name: "pass", "fail" or "skip".
type outcomes map[string]string

// result is what came of a program.
type result struct {
	program
	original, dropIn, race outcomes
	repeated               []string // tests that did not end alike at first
}

// try runs a program's tests with the original and with the drop-in. Tests that do not end alike are run again, since some of
// other people's tests depend on what a machine is doing.
func (l *laboratory) try(ctx context.Context, r *result) error {
	before, err := l.copy(ctx, r.program, "original")
	if err != nil {
		return err
	}
	after, err := l.copy(ctx, r.program, "drop-in")
	if err != nil {
		return err
	}
	if err := l.replace(ctx, r.program, before, after); err != nil {
		return err
	}
	for _, dir := range []string{before, after} { // it completes go.mod and go.sum, which runs at the same time must not
		if _, err := command(ctx, dir, "go", append([]string{"list", "-deps", "-test"}, r.packages...)...); err != nil {
			return err
		}
	}
	runs := []struct {
		dir  string
		args []string
		to   *outcomes
	}{{before, nil, &r.original}, {after, nil, &r.dropIn}, {after, []string{"-race"}, &r.race}}
	errs := make([]error, len(runs))
	var all sync.WaitGroup
	for i, run := range runs {
		all.Go(func() { *run.to, errs[i] = l.test(ctx, r.program, run.dir, run.args...) })
	}
	if all.Wait(); errors.Join(errs...) != nil {
		return errors.Join(errs...)
	}
	for range 2 {
		names := topLevel(append(worse(r.original, r.dropIn), worse(r.original, r.race)...))
		if len(names) == 0 {
			break
		}
		r.repeated = names
		for _, run := range runs {
			again, err := l.test(ctx, r.program, run.dir, append(run.args, "-run", "^("+strings.Join(names, "|")+")$")...)
			if err != nil {
				return err
			}
			maps.Copy(*run.to, again)
		}
	}
	return nil
}

// copy copies a module from the module cache.
func (l *laboratory) copy(ctx context.Context, p program, name string) (string, error) {
	out, err := command(ctx, l.work, "go", "mod", "download", "-json", p.module+"@"+p.version)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", err
	}
	dir := filepath.Join(l.work, filepath.Base(filepath.Dir(p.module))+"-"+filepath.Base(p.module), name)
	return dir, os.CopyFS(dir, os.DirFS(module.Dir))
}

// replace has a copy use the drop-in.
func (l *laboratory) replace(ctx context.Context, p program, from, dir string) error {
	if p.prepare != nil {
		return p.prepare(l, from, dir)
	}
	_, err := command(ctx, dir, "go", "mod", "edit",
		"-replace", original+"="+filepath.Join(l.root, "compat/gorilla/replace"),
		"-replace", "github.com/seed-c4549abd/wss="+l.root)
	return err
}

// command runs a command and returns its standard output.
func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), err
}

// test runs the tests of a program's copy.
func (l *laboratory) test(ctx context.Context, p program, dir string, args ...string) (outcomes, error) {
	l.turns <- struct{}{}
	defer func() { <-l.turns }()
	args = append(append([]string{"test", "-json", "-count=1", "-timeout", "3m", "-skip", p.skip}, args...), p.packages...)
	out, err := command(ctx, dir, "go", args...)
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return nil, err
	}
	all, printed := parse(out)
	if len(all) == 0 {
		return nil, fmt.Errorf("no test ran: %w\n%s", err, printed)
	}
	return all, nil
}

// event is a line of go test -json.
type event struct{ Action, Package, Test, Output string }

// parse reads the output of go test -json. Tests that had begun and did not end have failed: their process has ended.
func parse(out []byte) (all outcomes, printed string) {
	all = outcomes{}
	var text strings.Builder
	for line := range bytes.Lines(out) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		text.WriteString(e.Output)
		if e.Test == "" {
			continue
		}
		switch name := e.Package + " " + e.Test; e.Action {
		case "run":
			all[name] = "fail"
		case "pass", "fail", "skip":
			all[name] = e.Action
		}
	}
	return all, text.String()
}

// worse returns the tests that pass in before and not in after.
func worse(before, after outcomes) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if before[name] == "pass" && after[name] != "pass" && !isDropped(name) {
			names = append(names, name)
		}
	}
	return names
}

// topLevel returns the functions that tests belong to.
func topLevel(names []string) []string {
	var tests []string
	for _, name := range names {
		_, test, _ := strings.Cut(name, " ")
		test, _, _ = strings.Cut(test, "/")
		if !slices.Contains(tests, test) {
			tests = append(tests, test)
		}
	}
	return tests
}
