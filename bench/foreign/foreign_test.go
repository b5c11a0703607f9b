package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
)

func TestRowsAreChosenByNumber(t *testing.T) {
	all, err := chosen(shapes(false), "")
	if err != nil || len(all) != 6 {
		t.Errorf("%d shapes, %v", len(all), err)
	}
	some, err := chosen(shapes(true), "6,1")
	if err != nil || len(some) != 3 || some[0].key != "6a" || some[2].key != "1" || some[0].conns != 200 {
		t.Errorf("%+v, %v", some, err)
	}
	for _, list := range []string{"5", "x", "1,"} {
		if _, err := chosen(shapes(false), list); err == nil {
			t.Errorf("%q is taken for rows", list)
		}
	}
}

func TestQuickIsShorterUnlessToldOtherwise(t *testing.T) {
	o, err := parse([]string{"-quick", "-window", "1s", "-cache", "c"})
	if err != nil || o.rounds != 3 || o.window != time.Second || o.cache != "c" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestVersionsAreReadFromTheLock(t *testing.T) {
	lock := "[[package]]\nname = \"rustls\"\nversion = \"0.23.1\"\nsource = \"x\"\n\n[[package]]\nname = \"rustls-webpki\"\nversion = \"0.1.0\"\n"
	got := locked(lock, "missing", "rustls")
	if !slices.Equal(got, []report.Module{{Path: "rustls", Version: "0.23.1"}}) {
		t.Errorf("%v", got)
	}
}

func TestOurLocksNameWhatIsMeasured(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join("rust", "Cargo.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if got := locked(string(lock), fast, tung, "tokio", "rustls", "aws-lc-rs"); len(got) != 5 {
		t.Errorf("%v", got)
	}
}

func TestFiguresArePerMessage(t *testing.T) {
	s := sample(3*time.Millisecond, load.Result{Messages: 1000, Elapsed: 500 * time.Millisecond, P50: time.Microsecond}, 1000)
	if s["cpu"] != 3 || s["rate"] != 2000 || s["bytes"] != 2 || s["p50"] != 1 {
		t.Errorf("%v", s)
	}
}

// A foreign server's side of the protocol, in a shell: arguments, address, end of input.
func TestAProgramIsStartedAndEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "echo")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ntest -r \"$1\" -a -r \"$2\" && echo \"here:$3\"\ncat >/dev/null\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	k, err := native.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	defer k.Remove()
	for conns, want := range map[int]string{1: "here:", 1000: "here:4096"} {
		p, err := program(path, "4096")(shape{conns: conns}, k)
		if err != nil {
			t.Fatal(err)
		}
		if p.close(); p.addr != want {
			t.Errorf("%q, want %q", p.addr, want)
		}
	}
	if _, err := program("false")(shape{}, k); err == nil {
		t.Error("a server that ends at once was started")
	}
}
