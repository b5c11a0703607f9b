package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResultsAreCounted(t *testing.T) {
	known := []equivalent{{"frame/header.go", "n < 3", "CONDITIONALS_BOUNDARY"}}
	got := tally{name: "frame", of: 9}
	for _, r := range []struct {
		line   int
		kind   string
		status status
		code   string
	}{
		{1, "CONDITIONALS_BOUNDARY", killed, "if n < 1 {"},
		{2, "CONDITIONALS_BOUNDARY", timedOut, "if n < 2 {"},
		{3, "CONDITIONALS_BOUNDARY", lived, "if n < 3 {"},
		{3, "ARITHMETIC_BASE", lived, "if n < 3 {"},
		{5, "ARITHMETIC_BASE", notViable, "if n < 5 {"},
	} {
		got.add(mutant{"frame/header.go", r.line, 2, r.kind}, r.status, r.code, known)
	}
	want := tally{
		name: "frame", of: 9, killed: 1, timedOut: 1, equivalent: 1, notViable: 1,
		survivors: []string{"frame/header.go:3:2 ARITHMETIC_BASE: if n < 3 {"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tally{})); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	if err := write(&out, []tally{got}, 7); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"66.7 %", "sample of 5 of 9, seed 7", "lived: frame/header.go:3:2"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in\n%s", part, &out)
		}
	}
}

func TestEquivalentChangesAreReadFromTheTable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mutation.md")
	text := "# Mutation\n\n| file | code | mutation | why |\n|---|---|---|---|\n| `mask/mask.go` | `a \\| b` | INVERT_LOGICAL | the same |\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := equivalents(name)
	want := []equivalent{{"mask/mask.go", "a | b", "INVERT_LOGICAL"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(equivalent{})); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := equivalents(name + ".missing"); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
