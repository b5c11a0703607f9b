package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// peer is a library with an echo server.
type peer struct {
	// name is that of the flag, title that of the page.
	name, title string
	// prepare installs what the server needs, and returns its command line and the library's version.
	prepare func(ctx context.Context, b *bench) (line []string, version string, err error)
}

// The versions that are installed, the newest when this was last looked at. Those of Go are in bench/go.mod, that of Jetty in
// its pom.xml, that of tungstenite in its Cargo.lock; Debian has one of libwebsockets.
const (
	websocketsVersion = "17.4"
	aiohttpVersion    = "3.14.5"
	tornadoVersion    = "6.6.1"
	wsVersion         = "8.23.0"
)

// peers returns all, in the order of the page.
func peers() []peer {
	return []peer{
		goPeer("gorilla", "gorilla", "github.com/gorilla/websocket"),
		goPeer("coder", "coder", "github.com/coder/websocket"),
		goPeer("gobwas", "gobwas", "github.com/gobwas/ws"),
		goPeer("gws", "gws", "github.com/lxzan/gws"),
		goPeer("xnet", "x/net", "golang.org/x/net"),
		pythonPeer("websockets", "Python websockets", websocketsVersion),
		pythonPeer("aiohttp", "aiohttp", aiohttpVersion),
		pythonPeer("tornado", "Tornado", tornadoVersion),
		{"ws", "Node ws", prepareNode},
		{"jetty", "Jetty", prepareJetty},
		{"tungstenite", "tungstenite", prepareTungstenite},
		{"libwebsockets", "libwebsockets", prepareLibwebsockets},
	}
}

// goPeer is one of those that are measured in bench, set up as there.
func goPeer(name, lib, module string) peer {
	return peer{name, module, func(ctx context.Context, b *bench) ([]string, string, error) {
		program := filepath.Join(b.cache, "testee")
		dir := filepath.Join(b.root, "bench")
		if err := b.tool(ctx, dir, "go", "build", "-o", program, "./testee"); err != nil {
			return nil, "", err
		}
		version, err := b.output(ctx, dir, "go", "list", "-m", "-f", "{{.Version}}", module)
		return []string{program, "server", "-lib", lib, "-listen", "127.0.0.1:0", "-compress"}, strings.TrimPrefix(version, "v"), err
	}}
}

// pythonPeer has a package in a virtual environment of its own.
func pythonPeer(name, title, version string) peer {
	return peer{name, title, func(ctx context.Context, b *bench) ([]string, string, error) {
		dir := filepath.Join(b.cache, name+"-"+version)
		python := filepath.Join(dir, "bin", "python")
		if err := b.once(dir, func() error {
			if err := b.tool(ctx, "", "python3", "-m", "venv", dir); err != nil {
				return err
			}
			return b.tool(ctx, "", python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name+"=="+version)
		}); err != nil {
			return nil, "", err
		}
		return []string{python, b.source("python", name+"_echo.py")}, version, nil
	}}
}

func prepareNode(ctx context.Context, b *bench) ([]string, string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "", errors.New("node is not installed")
	}
	dir := filepath.Join(b.cache, "ws-"+wsVersion)
	if err := b.once(dir, func() error {
		return b.tool(ctx, "", "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", "ws@"+wsVersion)
	}); err != nil {
		return nil, "", err
	}
	// Node looks for modules beside the script that needs them.
	script := filepath.Join(dir, "echo.js")
	text, err := os.ReadFile(b.source("node", "echo.js"))
	if err == nil {
		err = os.WriteFile(script, text, 0o644)
	}
	return []string{node, script}, wsVersion, err
}

var jettyVersion = regexp.MustCompile(`<artifactId>jetty-websocket-jetty-server</artifactId>\s*<version>([^<]+)<`)

// prepareJetty has Maven fetch the libraries; Java compiles the one source file when it starts it.
func prepareJetty(ctx context.Context, b *bench) ([]string, string, error) {
	version, err := b.find(jettyVersion, "jetty", "pom.xml")
	if err != nil {
		return nil, "", err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, "", errors.New("java is not installed: it takes 17 or later")
	}
	dir := filepath.Join(b.cache, "jetty-"+version)
	if err := b.once(dir, func() error {
		return b.tool(ctx, "", "mvn", "-q", "-B", "-f", b.source("jetty", "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory="+dir)
	}); err != nil {
		return nil, "", err
	}
	return []string{java, "-cp", filepath.Join(dir, "*"), b.source("jetty", "Echo.java")}, version, nil
}

var tungsteniteVersion = regexp.MustCompile(`name = "tungstenite"\nversion = "([^"]+)"`)

func prepareTungstenite(ctx context.Context, b *bench) ([]string, string, error) {
	version, err := b.find(tungsteniteVersion, "tungstenite", "Cargo.lock")
	if err != nil {
		return nil, "", err
	}
	target := filepath.Join(b.cache, "cargo")
	err = b.tool(ctx, "", "cargo", "build", "--quiet", "--release", "--locked", "--target-dir", target,
		"--manifest-path", b.source("tungstenite", "Cargo.toml"))
	return []string{filepath.Join(target, "release", "echo")}, version, err
}

// prepareLibwebsockets compiles a program against Debian's package, which root installs.
func prepareLibwebsockets(ctx context.Context, b *bench) ([]string, string, error) {
	program := filepath.Join(b.cache, "libwebsockets-echo")
	compile := func() error {
		return b.tool(ctx, "", "cc", "-O2", "-Wall", "-o", program, b.source("libwebsockets", "echo.c"), "-lwebsockets")
	}
	err := compile()
	if err != nil && os.Geteuid() == 0 {
		if _, missing := exec.LookPath("apt-get"); missing == nil {
			err = b.tool(ctx, "", "apt-get", "install", "-y", "-qq", "--no-install-recommends", "libwebsockets-dev", "gcc", "libc6-dev")
			if err == nil {
				err = compile()
			}
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("libwebsockets-dev and cc are needed: %w", err)
	}
	version, err := b.output(ctx, "", "dpkg-query", "-W", "-f", "${Version}", "libwebsockets-dev")
	version, _, _ = strings.Cut(version, "-")
	return []string{program}, version, err
}
