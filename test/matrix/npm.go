package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// npmPackages are pinned, so that a failure is a change of ours.
var npmPackages = []string{"ws@8.23.0"}

func init() {
	allFamilies["npm"] = &family{install: installNPM}
	for _, p := range []*peer{
		{name: "ws", roles: both, command: node("ws.js")},
	} {
		p.family = "npm"
		peers = append(peers, p)
	}
}

// installNPM returns a directory with node_modules.
func installNPM(ctx context.Context, m *matrix) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("there is no npm: install Node.js 20 or later (Debian: apt-get install nodejs npm)")
	}
	return m.cache.Get("npm-"+fingerprint(npmPackages), func(dir string) error {
		args := append([]string{npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"}, npmPackages...)
		if _, err := install.Run(ctx, process.Command{Args: args, Dir: dir}); err != nil {
			return fmt.Errorf("cannot install (is npm's registry in reach?): %w", err)
		}
		return nil
	})
}

// node runs a program of peers/npm by the Node.js that is installed.
func node(program string) func(*matrix, string) process.Command {
	return func(m *matrix, dir string) process.Command {
		return process.Command{Args: []string{"node", m.program("npm/" + program)}, Env: withEnv("NODE_PATH=" + filepath.Join(dir, "node_modules"))}
	}
}
