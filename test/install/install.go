// Package install installs foreign programs: into a cache directory, or from Debian.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
)

// stampFile in a directory says that what is in it is complete.
const stampFile = "complete"

// Cache keeps installations in a directory.
type Cache struct {
	Dir string
	Log io.Writer // is told of each installation
}

// DefaultDir is the directory for a command's cache.
func DefaultDir(command string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(".cache", command)
	}
	return filepath.Join(dir, "wss", command)
}

// Get returns a directory of the cache, made by build if it is not there. It is built aside and renamed when it is
// complete, so that an installation that is interrupted leaves no half of one in its place.
func (c Cache) Get(name string, build func(dir string) error) (string, error) {
	final := filepath.Join(c.Dir, name)
	if _, err := os.Stat(filepath.Join(final, stampFile)); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(c.Dir, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	fmt.Fprintf(c.Log, "installing %s into %s\n", name, c.Dir)
	began := time.Now()
	if err := build(work); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(work, stampFile), nil, 0o644); err != nil {
		return "", err
	}
	if err := os.Rename(work, final); err != nil {
		if _, complete := os.Stat(filepath.Join(final, stampFile)); complete == nil {
			return final, nil // of another run
		}
		if err := errors.Join(os.RemoveAll(final), os.Rename(work, final)); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(c.Log, "installed in %v\n", time.Since(began).Round(time.Second))
	return final, nil
}

// Run runs a command to its end, and returns what it printed. An error has the end of that.
func Run(ctx context.Context, c process.Command) (string, error) {
	out := process.NewJournal()
	p, err := process.Start(ctx, c, out, out)
	if err != nil {
		return "", err
	}
	if err := p.Wait(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out.Tail())
	}
	return strings.Join(out.All(), "\n"), nil
}

// Debian installs packages with apt-get, which has to be there, for root. Their services are not started.
func Debian(ctx context.Context, log io.Writer, packages ...string) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("install them (Debian, as root: apt-get install %s)", strings.Join(packages, " "))
	}
	fmt.Fprintf(log, "installing %s with apt-get\n", strings.Join(packages, " "))
	restore, err := forbidServices("/usr/sbin/policy-rc.d")
	if err != nil {
		return err
	}
	defer restore()
	env := append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	for _, args := range [][]string{
		{apt, "update", "--quiet"},
		append([]string{apt, "install", "--quiet", "--yes", "--no-install-recommends"}, packages...),
	} {
		if _, err := Run(ctx, process.Command{Args: args, Env: env}); err != nil {
			return err
		}
	}
	return nil
}

// forbidServices has packages not start their services when they are installed (Debian policy §9.3.3.1), until restore is
// called. A policy that exists already stays.
func forbidServices(policy string) (restore func(), err error) {
	f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if os.IsExist(err) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	restore = func() { _ = os.Remove(policy) }
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		restore()
	}
	return restore, err
}
