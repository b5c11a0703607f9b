package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// debianPrograms are compiled with libraries of Debian's.
var debianPrograms = []struct {
	name, source string
	pkg          string // for pkg-config
	flags        []string
}{
	{name: "beast", source: "beast.cc", pkg: "openssl", flags: []string{"-lpthread"}},
	{name: "libwebsockets", source: "lws.c", pkg: "libwebsockets"},
	{name: "libsoup", source: "soup.c", pkg: "libsoup-3.0"},
	{name: "qt", source: "qt.cc", pkg: "Qt6WebSockets", flags: []string{"-fPIC"}},
}

var debianPackages = []string{
	"g++", "pkg-config", "libssl-dev", "libboost-dev", "libwebsockets-dev", "libsoup-3.0-dev", "glib-networking", "qt6-websockets-dev",
}

func init() {
	allFamilies["debian"] = &family{install: buildDebian}
	for _, p := range []*peer{
		{name: "Boost.Beast", command: debianPeer("beast")},
		{name: "libwebsockets", command: debianPeer("libwebsockets"), faults: []fault{{
			role: "server", check: "message too big", like: "code 1006",
			shows: "while it writes a long message it does not read our close frame (88 … 03 f1), and ends when we do",
		}}},
		{name: "libsoup", command: debianPeer("libsoup")},
		{name: "Qt", command: debianPeer("qt"), faults: []fault{
			{
				check: "text", like: `got text of 8 bytes "BOM`,
				shows: "a byte order mark that begins a text is removed: of 81 0b ef bb bf 42 4f 4d 0d … the bytes ef bb bf do not come back",
			},
			{
				check: "fragments", like: "Invalid UTF-8|reset by peer|broken pipe", // the last two where we still write
				shows: "a fragment that ends within a character is refused with 1007: 01 7e 03 e8 … e4 b8 and then 00 7e 03 e8 96 … is UTF-8 (RFC 6455 §5.6, §8.1)",
			},
			{check: "vanish", like: "code 1000", shows: "QWebSocket.closeCode is 1000 for a stream that ended without a close frame"},
		}},
	} {
		p.family, p.roles = "debian", both
		peers = append(peers, p)
	}
}

// buildDebian returns a directory with the compiled programs.
func buildDebian(ctx context.Context, m *matrix) (string, error) {
	args := append([]string{"dpkg-query", "--show"}, debianPackages...)
	if _, err := install.Run(ctx, process.Command{Args: args}); err != nil {
		if err := install.Debian(ctx, m.log, debianPackages...); err != nil {
			return "", fmt.Errorf("libraries for C and C++ are missing: %w", err)
		}
	}
	versions, err := install.Run(ctx, process.Command{Args: args})
	if err != nil {
		return "", err
	}
	sources := []string{versions}
	for _, p := range debianPrograms {
		text, err := programs.ReadFile("peers/debian/" + p.source)
		if err != nil {
			return "", err
		}
		sources = append(sources, string(text))
	}
	common, err := programs.ReadFile("peers/debian/common.h")
	if err != nil {
		return "", err
	}
	return m.cache.Get("debian-"+fingerprint(append(sources, string(common))), func(dir string) error {
		for _, p := range debianPrograms {
			found, err := exec.CommandContext(ctx, "pkg-config", "--cflags", "--libs", p.pkg).Output()
			if err != nil {
				return fmt.Errorf("pkg-config %s: %w", p.pkg, err)
			}
			compiler := "g++"
			if strings.HasSuffix(p.source, ".c") {
				compiler = "gcc"
			}
			args := append([]string{compiler, "-O1", "-o", filepath.Join(dir, p.name), m.program("debian/" + p.source)}, p.flags...)
			if _, err := install.Run(ctx, process.Command{Args: append(args, strings.Fields(string(found))...)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func debianPeer(name string) func(*matrix, string) process.Command {
	return func(_ *matrix, dir string) process.Command {
		return process.Command{Args: []string{filepath.Join(dir, name)}}
	}
}
