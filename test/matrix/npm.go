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
var npmPackages = []string{
	"ws@8.23.0", "undici@8.13.1", "faye-websocket@0.11.4", "permessage-deflate@0.1.7", "websocket@1.0.35",
	"node@26.10.0", "deno@2.9.6", "bun@1.4.5",
}

// removesBOM: the text is decoded by a TextDecoder without ignoreBOM.
var removesBOM = []fault{{
	check: "text", like: `got text of 8 bytes "BOM`,
	shows: "a byte order mark that begins a text is removed: of 81 0b ef bb bf 42 4f 4d 0d … the bytes ef bb bf do not come back",
}}

func init() {
	allFamilies["npm"] = &family{install: installNPM}
	for _, p := range []*peer{
		{name: "ws", roles: both, command: node("ws.js")},
		{name: "undici", roles: clientOnly, command: standard("undici", "node"), faults: removesBOM},
		{name: "Node", roles: clientOnly, command: standard("node", "node"), faults: removesBOM},
		{name: "Deno", roles: both, command: standard("deno", "deno", "run", "--allow-all")},
		{name: "Bun", roles: both, command: standard("bun", "bun")},
		{name: "faye-websocket", roles: both, command: node("faye.js")},
		{name: "websocket (npm)", roles: both, command: node("websocket.js")},
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

// standard runs the program for the WebSocket of the HTML standard in an environment of npm's.
func standard(peer, environment string, args ...string) func(*matrix, string) process.Command {
	return func(m *matrix, dir string) process.Command {
		modules := filepath.Join(dir, "node_modules")
		args := append([]string{filepath.Join(modules, ".bin", environment)}, args...)
		return process.Command{
			Args: append(args, m.program("npm/standard.js")),
			Env:  withEnv("NODE_PATH="+modules, "PEER="+peer, "DENO_NO_UPDATE_CHECK=1"),
		}
	}
}
