package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// The newest releases when this was last looked at. They are pinned so that a
// failure is a change of ours.
const (
	pythonPackage = "websockets==17.4"
	nodePackage   = "ws@8.23.0"
)

// cached returns a directory of the cache, made by build if it is not there.
func (b *bench) cached(name string, build func(dir string) error) (string, error) {
	return install.Cache{Dir: b.cache, Log: b.log}.Get(name, build)
}

// installPython returns the interpreter of a virtual environment with websockets.
func installPython(ctx context.Context, b *bench) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("there is no python3: install Python 3.10 or later, with venv (Debian: apt-get install python3-venv)")
	}
	dir, err := b.cached(strings.ReplaceAll(pythonPackage, "==", "-"), func(dir string) error {
		env := pythonEnv()
		for _, args := range [][]string{
			{python, "-m", "venv", dir},
			{venvPython(dir), "-m", "pip", "install", "--quiet", pythonPackage},
		} {
			if _, err := runCommand(ctx, process.Command{Args: args, Env: env}); err != nil {
				return fmt.Errorf("cannot install %s (is PyPI in reach, and venv there?): %w", pythonPackage, err)
			}
		}
		return nil
	})
	return venvPython(dir), err
}

func venvPython(dir string) string { return filepath.Join(dir, "bin", "python") }

// pythonEnv is this program's environment without what would lead Python to other
// packages.
func pythonEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PYTHONPATH" || name == "PYTHONHOME" || name == "VIRTUAL_ENV"
	})
	return append(env, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONNOUSERSITE=1", "PYTHONUNBUFFERED=1")
}

// installNode returns node's path and a node_modules directory with ws.
func installNode(ctx context.Context, b *bench) (node, modules string, err error) {
	node, err = exec.LookPath("node")
	if err != nil {
		return "", "", errors.New("there is no node: install Node.js 18 or later (Debian: apt-get install nodejs npm)")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", "", errors.New("there is no npm: it comes with Node.js (Debian: apt-get install npm)")
	}
	dir, err := b.cached(strings.ReplaceAll(nodePackage, "@", "-"), func(dir string) error {
		args := []string{npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", nodePackage}
		if _, err := runCommand(ctx, process.Command{Args: args, Dir: dir}); err != nil {
			return fmt.Errorf("cannot install %s (is npm's registry in reach?): %w", nodePackage, err)
		}
		return nil
	})
	return node, filepath.Join(dir, "node_modules"), err
}
