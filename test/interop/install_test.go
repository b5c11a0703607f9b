package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCachedBuildsOnce(t *testing.T) {
	b, _ := newTestBench(t)
	builds := 0
	build := func(dir string) error {
		builds++
		return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
	}
	for range 2 {
		dir, err := b.cached("thing", build)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
			t.Error(err)
		}
	}
	if builds != 1 {
		t.Errorf("built %d times, want once", builds)
	}
}

func TestCachedLeavesNothingOfAFailure(t *testing.T) {
	b, _ := newTestBench(t)
	broken := errors.New("broken")
	if _, err := b.cached("thing", func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(b.cache); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestCachedReplacesWhatIsIncomplete(t *testing.T) {
	b, _ := newTestBench(t)
	if err := os.MkdirAll(filepath.Join(b.cache, "thing", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := b.cached("thing", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); !errors.Is(err, os.ErrNotExist) {
		t.Error("what was incomplete is still there")
	}
}

func TestInstallPythonRunsVenvAndPip(t *testing.T) {
	bin := t.TempDir()
	// The fake makes an environment with a fake interpreter that notes its arguments.
	fakeProgram(t, bin, "python3", `/bin/mkdir -p "$3/bin" && printf '#!/bin/sh\necho "$@" > "%s/pip"\n' "$3" > "$3/bin/python" && /bin/chmod +x "$3/bin/python"`)
	t.Setenv("PATH", bin)
	b, _ := newTestBench(t)
	python, err := installPython(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	args, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(python)), "pip"))
	if err != nil || !strings.Contains(string(args), "-m pip install --quiet websockets==") {
		t.Errorf("pip got %q, %v", args, err)
	}
}

func TestInstallNodeRunsNpm(t *testing.T) {
	bin := t.TempDir()
	fakeProgram(t, bin, "node", "")
	fakeProgram(t, bin, "npm", `echo "$@" > npm-args`)
	t.Setenv("PATH", bin)
	b, _ := newTestBench(t)
	node, modules, err := installNode(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(node) != bin || filepath.Base(modules) != "node_modules" {
		t.Errorf("got %s and %s", node, modules)
	}
	args, err := os.ReadFile(filepath.Join(filepath.Dir(modules), "npm-args"))
	if err != nil || !strings.Contains(string(args), nodePackage) {
		t.Errorf("npm got %q, %v", args, err)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b, _ := newTestBench(t)
	if _, err := installPython(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no python3: install") {
		t.Errorf("got %v", err)
	}
	if _, _, err := installNode(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no node: install") {
		t.Errorf("got %v", err)
	}
}

func TestPythonEnvLeadsToNoOtherPackages(t *testing.T) {
	t.Setenv("PYTHONPATH", "/elsewhere")
	t.Setenv("VIRTUAL_ENV", "/elsewhere")
	env := pythonEnv()
	if slices.Contains(env, "PYTHONPATH=/elsewhere") || slices.Contains(env, "VIRTUAL_ENV=/elsewhere") {
		t.Errorf("got %q", env)
	}
}
