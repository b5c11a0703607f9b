package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/report"
)

// builder makes the foreign servers, each with its toolchain.
type builder struct {
	ctx         context.Context
	cache, from string
	log         io.Writer
}

// all builds what can be built; the rest is absent, with the reason.
func (b *builder) all() (servers []server, absent []report.Absent) {
	for _, one := range []struct {
		name  string
		build func() (server, error)
	}{
		{uws, b.uws},
		{fast, func() (server, error) { return b.rust(fast, "echo-fastwebsockets", fastSetup) }},
		{tung, func() (server, error) { return b.rust(tung, "echo-tungstenite", tungSetup, "4096") }},
	} {
		fmt.Fprintf(b.log, "building: %s\n", one.name)
		s, err := one.build()
		if err != nil {
			absent = append(absent, report.Absent{Name: one.name, Reason: err.Error()})
			continue
		}
		s.name, s.kind = one.name, libs.Peer
		servers = append(servers, s)
	}
	return servers, absent
}

const (
	uwsSetup  = "as its example EchoServer, in C: replies sent from the handler, no compression, no idle timeout, one thread; BoringSSL, libuv"
	fastSetup = "as its examples echo_server and tls_server: hyper's upgrade, FragmentCollector, writev, one thread; rustls, aws-lc-rs"
	tungSetup = "as its example echo-server: messages forwarded, read buffers of 128 KiB, or 4 KiB with many connections, one thread; rustls, aws-lc-rs"
)

// uws has pip fetch the native library, and links the program to it.
func (b *builder) uws() (server, error) {
	list := filepath.Join(b.from, "uws", "requirements.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		return server{}, err
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(text), "socketify=="), " ")
	dir, err := filepath.Abs(filepath.Join(b.cache, "socketify-"+version))
	if err != nil {
		return server{}, err
	}
	lib := filepath.Join(dir, "socketify", "libsocketify_"+runtime.GOOS+"_"+runtime.GOARCH+".so")
	if _, err := os.Stat(lib); err != nil {
		if err := b.tool(nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--no-deps", "--require-hashes", "--upgrade", "--target", dir, "-r", list); err != nil {
			return server{}, err
		}
	}
	if _, err := os.Stat(lib); err != nil {
		return server{}, fmt.Errorf("socketify %s has no library for %s/%s", version, runtime.GOOS, runtime.GOARCH)
	}
	echo := filepath.Join(dir, "echo")
	if err := b.tool(nil, "cc", "-O3", "-Wall", "-o", echo, filepath.Join(b.from, "uws", "echo.c"), lib,
		"-Wl,-rpath,"+filepath.Dir(lib), "-pthread"); err != nil {
		return server{}, err
	}
	return server{
		setup: uwsSetup, start: program(echo),
		modules: []report.Module{{Path: "uWebSockets 20, in socketify", Version: version}},
	}, nil
}

// rust has cargo build one package of the workspace.
func (b *builder) rust(crate, pkg, setup string, many ...string) (server, error) {
	target, err := filepath.Abs(filepath.Join(b.cache, "target"))
	if err != nil {
		return server{}, err
	}
	dir := filepath.Join(b.from, "rust")
	lock, err := os.ReadFile(filepath.Join(dir, "Cargo.lock"))
	if err != nil {
		return server{}, err
	}
	if err := b.tool([]string{"CARGO_TARGET_DIR=" + target}, "cargo", "build", "--quiet", "--release", "--locked",
		"--manifest-path", filepath.Join(dir, "Cargo.toml"), "-p", pkg); err != nil {
		return server{}, err
	}
	return server{
		setup: setup, start: program(filepath.Join(target, "release", pkg), many...),
		modules: append(locked(string(lock), crate, "tokio", "rustls", "aws-lc-rs"), b.rustc()...),
	}, nil
}

func (b *builder) rustc() []report.Module {
	out, err := exec.CommandContext(b.ctx, "rustc", "--version").Output()
	if f := strings.Fields(string(out)); err == nil && len(f) > 1 {
		return []report.Module{{Path: "rustc", Version: f[1]}}
	}
	return nil
}

// tool runs a toolchain. Its error is short enough for a report: that it is missing, or
// the last line that it wrote.
func (b *builder) tool(env []string, name string, args ...string) error {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	all := io.MultiWriter(b.log, &said)
	cmd.Stdout, cmd.Stderr = all, all
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s is not installed", name)
	}
	return fmt.Errorf("%s failed: %s", name, lastLine(said.String(), err.Error()))
}

// lastLine is the last line that says something, or else the alternative.
func lastLine(text, alternative string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i := len(lines) - 1; i >= 0; i-- {
		if l := strings.TrimSpace(lines[i]); l != "" {
			return l
		}
	}
	return alternative
}

var lockedPackage = regexp.MustCompile(`(?m)^name = "(.+)"\nversion = "(.+)"$`)

// locked returns the versions that a Cargo.lock has of some packages.
func locked(lock string, names ...string) []report.Module {
	var all []report.Module
	for _, name := range names {
		for _, m := range lockedPackage.FindAllStringSubmatch(lock, -1) {
			if m[1] == name {
				all = append(all, report.Module{Path: name, Version: m[2]})
			}
		}
	}
	return all
}
