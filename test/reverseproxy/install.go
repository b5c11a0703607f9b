package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/test/process"
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

// install installs the packages of the proxies that are missing, where that is possible. A package starts its service when it
// is installed, unless policy-rc.d forbids it (Debian policy §9.3.3.1): if there is none, it is there for as long as that takes.
func install(ctx context.Context, wanted []*proxy, log io.Writer) error {
	var missing []string
	for _, p := range wanted {
		if find(p.program) == "" {
			missing = append(missing, p.debian)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	hint := fmt.Errorf("missing: install them (Debian, as root: apt-get install --no-install-recommends %s)", strings.Join(missing, " "))
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return hint
	}
	fmt.Fprintf(log, "installing %v with apt-get\n", missing)
	restore, err := forbidServices("/usr/sbin/policy-rc.d")
	if err != nil {
		return err
	}
	defer restore()
	env := append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	for _, args := range [][]string{
		{apt, "update", "--quiet"},
		slices.Concat([]string{apt, "install", "--quiet", "--yes", "--no-install-recommends"}, missing),
	} {
		if _, err := process.Run(ctx, process.Command{Args: args, Env: env}, io.Discard); err != nil {
			return fmt.Errorf("%w: %w", hint, err)
		}
	}
	return nil
}

// forbidServices has packages not start their services, until restore is called. A policy that is there already stays.
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
