package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindPython(t *testing.T) {
	t.Run("on PATH", func(t *testing.T) {
		dir := installFakes(t, "python2.7")
		if got, err := findPython(t.Context()); err != nil || got != filepath.Join(dir, "python2.7") {
			t.Errorf("got %s, error %v", got, err)
		}
	})
	t.Run("behind a shim that is not selected", func(t *testing.T) {
		dir := installFakes(t, "python2.7", "pyenv")
		t.Setenv(fakeShim, "unset")
		want := filepath.Join(dir, "versions", "2.7.18", "bin", "python2.7")
		if err := os.MkdirAll(filepath.Dir(want), 0o700); err != nil {
			t.Fatal(err)
		}
		linkFake(t, want)
		if got, err := findPython(t.Context()); err != nil || got != want {
			t.Errorf("got %s, error %v, want %s", got, err, want)
		}
	})
	t.Run("in no version of pyenv", func(t *testing.T) {
		installFakes(t, "python2.7", "pyenv")
		t.Setenv(fakeShim, "unset")
		if got, err := findPython(t.Context()); err == nil || !strings.Contains(err.Error(), "pyenv install 2.7.18") {
			t.Errorf("got %s, error %v", got, err)
		}
	})
}

func TestInstall(t *testing.T) {
	installFakes(t, "python2.7")
	t.Setenv("PYTHONPATH", "/elsewhere") // must not reach the environment
	cache := filepath.Join(t.TempDir(), "new", "cache")
	find := func() (venv string, installed bool, err error) {
		var log bytes.Buffer
		s, err := findPythonSuite(t.Context(), cache, &log)
		if err != nil {
			return "", false, err
		}
		return filepath.Dir(filepath.Dir(s.String())), log.Len() > 0, nil
	}
	venv, installed, err := find()
	if err != nil || !installed {
		t.Fatalf("first use: installed %v, error %v", installed, err)
	}
	if _, installed, err = find(); err != nil || installed {
		t.Errorf("second use: installed %v, error %v", installed, err)
	}
	for name, breakIt := range map[string]func() error{
		"an installation without its stamp": func() error { return os.Remove(filepath.Join(venv, stampFile)) },
		"a broken interpreter":              func() error { return os.Remove(filepath.Join(venv, "bin", "python")) },
		"a cache that was emptied":          func() error { return os.RemoveAll(cache) },
	} {
		if err := breakIt(); err != nil {
			t.Fatal(err)
		}
		if _, installed, err = find(); err != nil || !installed {
			t.Errorf("%s: installed %v, error %v", name, installed, err)
		}
	}
	if err := os.RemoveAll(cache); err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakePip, "down")
	if _, _, err = find(); err == nil || !strings.Contains(err.Error(), "PyPI") {
		t.Errorf("without PyPI: error %v", err)
	}
	if left, _ := os.ReadDir(cache); len(left) != 0 {
		t.Errorf("a failed installation leaves %v", left)
	}
}

func TestRecipeDependsOnTheInterpreter(t *testing.T) {
	if recipe("/a/python2.7") == recipe("/b/python2.7") || len(recipe("")) != 12 {
		t.Error(recipe("/a/python2.7"), recipe("/b/python2.7"))
	}
}
