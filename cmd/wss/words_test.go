package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeysAreNamed(t *testing.T) {
	for want, key := range map[string]any{
		"ECDSA P-384": &ecdsa.PublicKey{Curve: elliptic.P384()},
		"RSA 2048":    &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047)},
		"Ed25519":     ed25519.PublicKey{},
		"string":      "",
	} {
		if got := describeKey(key); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestBuildsAreDescribed(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}}
	got := []string{describeBuild(info)}
	info.Main.Version = "v0.1.0"
	info.Settings = append(info.Settings, debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	got = append(got, describeBuild(info))
	want := []string{"wss (devel), go1.26.0, linux/arm64", "wss v0.1.0, commit 0123456789ab with changes, go1.26.0, linux/arm64"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestHTTP2IsDescribed(t *testing.T) {
	for want, r := range map[string]http2Report{
		"unknown: why":   {Error: "why"},
		"not offered":    {},
		"offered, with ": {Offered: true, WebSocket: true},
		"offered, witho": {Offered: true},
	} {
		if got := r.words(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheNameOfAServerIsThatOfTheFlag(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1234}
	for listen, want := range map[string]string{
		"localhost:0": "localhost:1234", ":0": host + ":1234", "[::1]:0": "[::1]:1234", "no port": "127.0.0.1:1234",
	} {
		s := &server{options: &serveOptions{listen: listen}}
		if got := s.name(addr); got != want {
			t.Errorf("%q: %q, want %q", listen, got, want)
		}
	}
}
