package main

import (
	"context"
	"crypto/tls"
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

// pipPackages are pinned, so that a failure is a change of ours.
var pipPackages = []string{"hypercorn==0.18.0", "h2==4.4.1", "wsproto==1.3.2"}

// withHypercorn has our client talk to an ASGI application under hypercorn.
func withHypercorn(ctx context.Context, o *options) error {
	dir, err := installPip(ctx, o)
	if err != nil {
		return err
	}
	b, err := startBackend(page) // for its certificate
	if err != nil {
		return err
	}
	defer b.close()
	p, err := startPeer(ctx, process.Command{
		Args: []string{filepath.Join(dir, "bin", "python"), peerFile("hypercorn_.py"), b.certificate()}, Env: pythonEnv(),
	})
	if err != nil {
		return err
	}
	defer p.process.Stop()
	// hypercorn/protocol/h2.py forgets a stream when a close frame has come; the END_STREAM behind that is a KeyError, which ends the
	// connection. And hypercorn/protocol/ws_stream.py knows 1000 and 1006 only.
	s := &server{
		peer: strings.ReplaceAll(pipPackages[0], "==", " "), addr: "localhost:" + p.port, await: p.await, many: 100, noReset: true, oneClose: true, told: 1006,
		tls: &tls.Config{RootCAs: b.ca.Pool()},
	}
	s.talk(ctx, o)
	return nil
}

// installPip returns a virtual environment of Python.
func installPip(ctx context.Context, o *options) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("there is no python3: install Python 3.10 or later, with venv (Debian: apt-get install python3-venv)")
	}
	cache := install.Cache{Dir: install.DefaultDir("streams"), Log: o.log}
	return cache.Get("pip-"+strings.ReplaceAll(strings.Join(pipPackages, "-"), "==", "-"), func(dir string) error {
		for _, args := range [][]string{
			{python, "-m", "venv", dir},
			append([]string{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet"}, pipPackages...),
		} {
			if _, err := install.Run(ctx, process.Command{Args: args, Env: pythonEnv()}); err != nil {
				return fmt.Errorf("cannot install (is PyPI in reach, and venv there?): %w", err)
			}
		}
		return nil
	})
}

// pythonEnv is this program's environment without what would lead Python to other packages.
func pythonEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PYTHONPATH" || name == "PYTHONHOME" || name == "VIRTUAL_ENV"
	})
	return append(env, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONNOUSERSITE=1", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
}
