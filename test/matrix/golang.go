package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

func init() {
	allFamilies["go"] = &family{install: buildGo}
	for _, p := range []*peer{
		{name: "gorilla/websocket", roles: both, command: goPeer("gorilla")},
		{name: "coder/websocket", roles: both, command: goPeer("coder")},
		{name: "gobwas/ws", roles: both, command: goPeer("gobwas")},
		{name: "gws", roles: both, command: goPeer("gws")},
		{name: "nbio", roles: serverOnly, command: goPeer("nbio"), faults: []fault{{
			check: "empty", like: "deadline exceeded", shows: "its OnMessage is not called for a message without payload (81 80 and a key): nbhttp/websocket/conn.go passes on what is not nil",
		}}},
	} {
		p.family = "go"
		peers = append(peers, p)
	}
}

// buildGo builds test/gopeers, a module of its own.
func buildGo(ctx context.Context, m *matrix) (string, error) {
	root, err := install.Run(ctx, process.Command{Args: []string{"go", "list", "-m", "-f", "{{.Dir}}", "github.com/seed-c4549abd/wss"}})
	if err != nil {
		return "", fmt.Errorf("run this within the repository: %w", err)
	}
	_, err = install.Run(ctx, process.Command{
		Args: []string{"go", "build", "-o", filepath.Join(m.work, "gopeers"), "."},
		Dir:  filepath.Join(strings.TrimSpace(root), "test", "gopeers"),
	})
	return m.work, err
}

func goPeer(library string) func(*matrix, string) process.Command {
	return func(_ *matrix, dir string) process.Command {
		return process.Command{Args: []string{filepath.Join(dir, "gopeers"), library}}
	}
}
