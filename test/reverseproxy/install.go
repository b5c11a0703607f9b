package main

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"

	"github.com/seed-c4549abd/wss/test/install"
)

// programDirs are where Debian has proxies, besides PATH.
var programDirs = []string{"/usr/sbin", "/usr/bin"}

// find returns the path of a program, or "".
func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range programDirs {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}

// installMissing installs the packages of the proxies that are missing, where that is possible.
func installMissing(ctx context.Context, wanted []*proxy, log io.Writer) error {
	var missing []string
	for _, p := range wanted {
		if find(p.program) == "" {
			missing = append(missing, p.debian)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return install.Debian(ctx, log, missing...)
}
