package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
)

// builder makes the foreign servers, each with its toolchain.
type builder struct {
	native.Builder
	from string
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
		fmt.Fprintf(b.Log, "building: %s\n", one.name)
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

func (b *builder) uws() (server, error) {
	echo, version, err := b.UWS(filepath.Join(b.from, "uws"), "echo")
	return server{
		setup: uwsSetup, start: program(echo),
		modules: []report.Module{{Path: "uWebSockets 20, in socketify", Version: version}},
	}, err
}

// rust has cargo build one package of the workspace.
func (b *builder) rust(crate, pkg, setup string, many ...string) (server, error) {
	target, err := filepath.Abs(filepath.Join(b.Cache, "target"))
	if err != nil {
		return server{}, err
	}
	dir := filepath.Join(b.from, "rust")
	lock, err := os.ReadFile(filepath.Join(dir, "Cargo.lock"))
	if err != nil {
		return server{}, err
	}
	if err := b.Tool([]string{"CARGO_TARGET_DIR=" + target}, "cargo", "build", "--quiet", "--release", "--locked",
		"--manifest-path", filepath.Join(dir, "Cargo.toml"), "-p", pkg); err != nil {
		return server{}, err
	}
	return server{
		setup: setup, start: program(filepath.Join(target, "release", pkg), many...),
		modules: append(locked(string(lock), crate, "tokio", "rustls", "aws-lc-rs"), b.rustc()...),
	}, nil
}

func (b *builder) rustc() []report.Module {
	out, err := exec.CommandContext(b.Context, "rustc", "--version").Output()
	if f := strings.Fields(string(out)); err == nil && len(f) > 1 {
		return []report.Module{{Path: "rustc", Version: f[1]}}
	}
	return nil
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
