package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
)

// The suite stands still since Python 2.7 did, and these are the last versions of what it needs that work together. pip
// warns that six and zope.interface conflict; they do not matter here.
var (
	bootstrapPackages = []string{"virtualenv==20.15.1"}
	basePackages      = []string{"pip==20.3.4", "setuptools==44.0.0"}
	suitePackages     = []string{
		"autobahntestsuite==25.10.1", "Twisted==19.10.0", "pyOpenSSL==19.1.0", "cryptography==3.3.2", "incremental==16.10.1",
	}
)

// stampFile in an environment says that its installation was completed.
const stampFile = "complete"

const howToGetPython = "install CPython 2.7, with pip, for instance by \"pyenv install 2.7.18\""

// pythonSuite runs wstest in a virtual environment.
type pythonSuite struct{ interpreter string }

func (p *pythonSuite) String() string { return p.interpreter }

// wstest starts the module and not the script, whose first line would not survive the environment's being renamed.
func (p *pythonSuite) wstest(dir string, args ...string) process.Command {
	line := []string{p.interpreter, "-u", "-m", "autobahntestsuite.wstest"}
	return process.Command{Args: append(line, args...), Dir: dir, Env: pythonEnv()}
}

// findPythonSuite returns the suite in the cache directory, installed anew if it is missing or does not run.
func findPythonSuite(ctx context.Context, cache string, log io.Writer) (suite, error) {
	python, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	final := filepath.Join(cache, "venv-"+recipe(python))
	installed := &pythonSuite{interpreter: filepath.Join(final, "bin", "python")}
	if installed.works(ctx, final) {
		return installed, nil
	}
	fmt.Fprintf(log, "installing Autobahn|Testsuite from PyPI into %s\n", final)
	began := time.Now()
	if err := install(ctx, python, cache, final, log); err != nil {
		return nil, err
	}
	if !installed.works(ctx, final) {
		return nil, fmt.Errorf("the suite was installed and does not run: try %s -m autobahntestsuite.wstest --help",
			installed.interpreter)
	}
	fmt.Fprintf(log, "installed in %v\n", time.Since(began).Round(time.Second))
	return installed, nil
}

// recipe names what is installed, so that another list of versions gets another environment.
func recipe(python string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", python, bootstrapPackages, basePackages, suitePackages))
	return fmt.Sprintf("%x", sum[:6])
}

func (p *pythonSuite) works(ctx context.Context, dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, stampFile)); err != nil {
		return false
	}
	_, err := process.Run(ctx, p.wstest(dir, "--autobahnversion"), io.Discard)
	return err == nil
}

// install builds the environment aside and renames it when it is complete: an installation that is interrupted, or two at
// once, never leave half of one in its place.
func install(ctx context.Context, python, cache, final string, log io.Writer) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(cache, "building-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	boot, venv := filepath.Join(work, "boot"), filepath.Join(work, "venv")
	venvPython := filepath.Join(venv, "bin", "python")
	pip := []string{venvPython, "-m", "pip", "install", "--quiet"}
	env := pythonEnv()
	steps := []process.Command{
		// Into a directory of its own: the interpreter's packages belong to the user.
		{Args: slices.Concat([]string{python, "-m", "pip", "install", "--quiet", "--target", boot}, bootstrapPackages), Env: env},
		{Args: []string{python, "-m", "virtualenv", "--quiet", venv}, Env: append(slices.Clone(env), "PYTHONPATH="+boot)},
		{Args: slices.Concat(pip, basePackages), Env: env},
		{Args: slices.Concat(pip, suitePackages), Env: env},
	}
	for _, step := range steps {
		if _, err := process.Run(ctx, step, io.Discard); err != nil {
			return fmt.Errorf("cannot install the suite (is PyPI in reach, and pip there?): %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(venv, stampFile), nil, 0o644); err != nil {
		return err
	}
	// A broken one is in the way; if another run has just put a good one there, either will do.
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	if err := os.Rename(venv, final); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// pythonEnv is this program's environment without what would lead Python to other packages.
func pythonEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PYTHONPATH" || name == "PYTHONHOME" || name == "VIRTUAL_ENV"
	})
	return append(env, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONNOUSERSITE=1")
}

// findPython returns the path of a CPython 2.7 that runs. One on PATH may be a shim of pyenv for a version that is not
// selected, so pyenv is asked too.
func findPython(ctx context.Context) (string, error) {
	for _, name := range []string{"python2.7", "python2"} {
		if path, err := exec.LookPath(name); err == nil && isPython27(ctx, path) {
			return path, nil
		}
	}
	pyenv, err := exec.LookPath("pyenv")
	if err != nil {
		return "", errors.New("there is no Python 2.7: " + howToGetPython)
	}
	versions, err := process.Run(ctx, process.Command{Args: []string{pyenv, "versions", "--bare"}}, io.Discard)
	if err != nil {
		return "", err
	}
	for version := range strings.FieldsSeq(versions) {
		if !strings.HasPrefix(version, "2.7.") {
			continue
		}
		prefix, err := process.Run(ctx, process.Command{Args: []string{pyenv, "prefix", version}}, io.Discard)
		path := filepath.Join(strings.TrimSpace(prefix), "bin", "python2.7")
		if err == nil && isPython27(ctx, path) {
			return path, nil
		}
	}
	return "", errors.New("pyenv has no Python 2.7: " + howToGetPython)
}

func isPython27(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	check := "import sys; sys.exit(sys.version_info[:2] != (2, 7))"
	_, err := process.Run(ctx, process.Command{Args: []string{path, "-c", check}}, io.Discard)
	return err == nil
}
