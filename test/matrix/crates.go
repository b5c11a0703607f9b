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

func init() {
	allFamilies["crates"] = &family{slow: true, install: buildCrates}
	peers = append(peers, &peer{
		name: "tungstenite", family: "crates", roles: both,
		command: func(_ *matrix, dir string) process.Command {
			return process.Command{Args: []string{filepath.Join(dir, "target", "release", "peer")}}
		},
	})
}

// buildCrates compiles the program in Rust, which takes minutes.
func buildCrates(ctx context.Context, m *matrix) (string, error) {
	if _, err := exec.LookPath("cargo"); err != nil {
		return "", errors.New("there is no cargo: install Rust 1.85 or later")
	}
	var sources []string
	for _, name := range []string{"Cargo.toml", "Cargo.lock", "src/main.rs"} {
		text, err := programs.ReadFile("peers/crates/" + name)
		if err != nil {
			return "", err
		}
		sources = append(sources, string(text))
	}
	return m.cache.Get("crates-"+fingerprint(sources), func(dir string) error {
		_, err := install.Run(ctx, process.Command{
			Args: []string{
				"cargo", "build", "--quiet", "--release", "--locked", "--target-dir", filepath.Join(dir, "target"),
				"--manifest-path", filepath.Join(m.program("crates"), "Cargo.toml"),
			},
		})
		if err != nil {
			return fmt.Errorf("cannot build (is crates.io in reach, and libssl-dev there?): %w", err)
		}
		return nil
	})
}
