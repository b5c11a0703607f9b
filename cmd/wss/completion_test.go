package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// script writes a completion script to a file.
func script(t *testing.T, shell string) (file string) {
	t.Helper()
	r := runCommand(t, "completion", shell)
	r.check(t, 0)
	file = filepath.Join(t.TempDir(), "completion")
	if err := os.WriteFile(file, []byte(r.out), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	file := script(t, "bash")
	for typed, want := range map[string]string{
		"wss co":                    "connect conform completion",
		"wss connect -re":           "-reconnect",
		"wss serve -max-p":          "-max-per-address",
		"wss completion f":          "fish",
		"wss help b":                "bench",
		"wss connect -H x -subprot": "-subprotocol",
	} {
		words := strings.Fields(typed)
		program := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wss; echo "${COMPREPLY[@]}"`
		out, err := exec.Command(bash, append([]string{"-c", program, "bash", file}, words...)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != want || err != nil {
			t.Errorf("%s: %q, want %q; %v", typed, got, want, err)
		}
	}
}

func TestZshAndFishAcceptTheirScripts(t *testing.T) {
	for _, shell := range []string{"zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			file := script(t, shell)
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed", shell)
			}
			if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if shell == "fish" {
				out, err := exec.Command(path, "-c", "source $argv[1]; complete -C 'wss connect -reco'", file).CombinedOutput()
				if !strings.HasPrefix(string(out), "-reconnect") || err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
		})
	}
}
