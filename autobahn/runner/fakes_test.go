package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
)

// The programs that the runner starts are faked by this test's own executable, under their names. How they shall fail is
// in the environment.
const (
	fakeLog    = "FAKE_LOG"    // file to which each docker appends its command line
	fakeEngine = "FAKE_ENGINE" // "up": docker info succeeds
	fakePip    = "FAKE_PIP"    // "down": pip install fails
	fakeShim   = "FAKE_SHIM"   // "unset": python2.7 is a shim of a version that is not selected
	fakeSuite  = "FAKE_SUITE"  // "fail": one case fails; "crash": wstest ends at once; "hang": it never ends
	fakeTestee = "FAKE_TESTEE" // "crash", "mute", "babble" or "plain": what the server does wrong
)

var fakes map[string]func(args []string) int

func TestMain(m *testing.M) {
	fakes = map[string]func([]string) int{
		"docker": docker, "python2.7": python27, "python": venvPython, "pyenv": pyenv, "testee": testee,
	}
	if fake, ok := fakes[filepath.Base(os.Args[0])]; ok {
		os.Exit(fake(os.Args[1:]))
	}
	process.Grace = 500 * time.Millisecond
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or each fake lingers for a second under the race detector
	os.Exit(m.Run())
}

// install makes fakes of the given names the only programs on PATH, and returns their directory.
func installFakes(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		linkFake(t, filepath.Join(dir, name))
	}
	t.Setenv("PATH", dir)
	t.Setenv(fakeLog, filepath.Join(dir, "log"))
	return dir
}

func linkFake(t testing.TB, path string) {
	t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, path)
	}
	if err != nil {
		t.Skip("cannot fake programs here: ", err)
	}
}

func docker(args []string) int {
	log, err := os.OpenFile(os.Getenv(fakeLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(log, strings.Join(args, " "))
	switch args[0] {
	case "info":
		if os.Getenv(fakeEngine) != "up" {
			fmt.Fprintln(os.Stderr, "Cannot connect to the Docker daemon")
			return 1
		}
	case "run":
		volume := args[slices.Index(args, "--volume")+1]
		if err := os.Chdir(strings.TrimSuffix(volume, ":/work")); err != nil {
			panic(err)
		}
		return wstest(args[slices.Index(args, "wstest")+1:])
	}
	return 0
}

func python27(args []string) int {
	if os.Getenv(fakeShim) == "unset" && !strings.Contains(os.Args[0], "versions") {
		fmt.Fprintln(os.Stderr, "pyenv: python2.7: command not found")
		return 127
	}
	line := strings.Join(args, " ")
	switch {
	case strings.HasPrefix(line, "-m pip install"):
		return pip()
	case strings.HasPrefix(line, "-m virtualenv"):
		if os.Getenv("PYTHONPATH") == "" {
			return 1
		}
		bin := filepath.Join(args[len(args)-1], "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			panic(err)
		}
		self, _ := os.Executable()
		if err := os.Symlink(self, filepath.Join(bin, "python")); err != nil {
			panic(err)
		}
	}
	return 0
}

func pip() int {
	if os.Getenv(fakePip) == "down" {
		fmt.Fprintln(os.Stderr, "No matching distribution found")
		return 1
	}
	return 0
}

func venvPython(args []string) int {
	if os.Getenv("PYTHONPATH") != "" {
		return 1
	}
	if slices.Contains(args, "pip") {
		return pip()
	}
	return wstest(args[slices.Index(args, "autobahntestsuite.wstest")+1:])
}

func pyenv(args []string) int {
	dir := filepath.Dir(os.Args[0])
	switch args[0] {
	case "versions":
		fmt.Println("3.13.0\n2.7.17\n2.7.18")
	case "prefix":
		if args[1] != "2.7.18" {
			return 1
		}
		fmt.Println(filepath.Join(dir, "versions", args[1]))
	}
	return 0
}

// wstest writes a report in which all is well.
func wstest(args []string) int {
	if slices.Contains(args, "--autobahnversion") {
		return 0
	}
	data, err := os.ReadFile(args[slices.Index(args, "--spec")+1])
	if err != nil {
		panic(err)
	}
	var s spec
	if err := json.Unmarshal(data, &s); err != nil {
		panic(err)
	}
	switch os.Getenv(fakeSuite) {
	case "crash":
		return 3
	case "hang":
		fmt.Println("Running test case ID 1.1.1")
		time.Sleep(time.Hour) // select {} is a deadlock to a program without cgo
	}
	if args[slices.Index(args, "--mode")+1] == "fuzzingclient" {
		writeReport(s)
		return 0
	}
	address, _ := url.Parse(s.URL)
	ln, err := net.Listen("tcp", address.Host)
	if err != nil {
		panic(err)
	}
	for {
		nc, err := ln.Accept()
		if err != nil {
			panic(err)
		}
		if line, _ := bufio.NewReader(nc).ReadString('\n'); line == "report\n" {
			writeReport(s)
		}
		nc.Close()
	}
}

func writeReport(s spec) {
	cases := map[string]map[string]any{}
	for i, id := range s.Cases {
		fmt.Println("Running test case ID", id)
		verdict := "OK"
		if i == 0 && os.Getenv(fakeSuite) == "fail" {
			verdict = "FAILED"
		}
		cases[id] = map[string]any{"behavior": verdict, "behaviorClose": "OK", "duration": 1}
	}
	data, _ := json.Marshal(map[string]any{agent: cases})
	if err := os.MkdirAll(s.OutDir, 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(s.OutDir, "index.json"), data, 0o600); err != nil {
		panic(err)
	}
}

func testee(args []string) int {
	fmt.Fprintln(os.Stderr, args)
	if args[0] == "client" {
		address, _ := url.Parse(args[slices.Index(args, "-url")+1])
		nc, err := net.Dial("tcp", address.Host)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(nc, "report")
		io.Copy(io.Discard, nc)
		return 0
	}
	scheme := "ws"
	if slices.Contains(args, "-tls") && os.Getenv(fakeTestee) != "plain" {
		scheme = "wss"
	}
	switch os.Getenv(fakeTestee) {
	case "crash":
		return 1
	case "babble":
		fmt.Println("hello")
	case "mute":
	default:
		fmt.Printf("listening %s://127.0.0.1:1\nand more\n", scheme)
	}
	time.Sleep(time.Hour)
	return 0
}
