package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUndoRunsWhateverTheEnd(t *testing.T) {
	dir := installFakes(t, "docker")
	program := filepath.Join(dir, "docker")
	for _, first := range []string{"version", "info"} { // the latter fails
		p, err := start(t.Context(), command{args: []string{program, first}, undo: []string{program, "rm", first}}, io.Discard, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		<-p.done
	}
	log, err := os.ReadFile(os.Getenv(fakeLog))
	if diff := cmp.Diff("version\nrm version\ninfo\nrm info\n", string(log)); diff != "" {
		t.Errorf("error %v, command lines (-want +got):\n%s", err, diff)
	}
}

func TestRunCommandShowsTheEndOfTheOutput(t *testing.T) {
	dir := installFakes(t, "docker")
	var log bytes.Buffer
	output, err := runCommand(t.Context(), command{args: []string{filepath.Join(dir, "docker"), "info"}}, &log)
	if err == nil || !strings.Contains(err.Error(), "Cannot connect") || output != log.String() {
		t.Errorf("output %q, log %q, error %v", output, log.String(), err)
	}
	if _, err := runCommand(t.Context(), command{args: []string{filepath.Join(dir, "missing")}}, io.Discard); err == nil {
		t.Error("a missing program starts")
	}
}

func TestLineWriter(t *testing.T) {
	var next bytes.Buffer
	var lines []string
	w := &lineWriter{next: &next, line: func(l string) { lines = append(lines, l) }}
	for _, part := range []string{"a", "b\nc\r", "\n\n", "rest"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%q: %d, %v", part, n, err)
		}
	}
	if diff := cmp.Diff([]string{"ab", "c", ""}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := next.String(); got != "ab\nc\r\n\nrest" {
		t.Errorf("passed on: %q", got)
	}
}
