package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatGremlinsFoundIsCounted(t *testing.T) {
	const report = `{"files":[{"file_name":"frame/header.go","mutations":[
		{"type":"CONDITIONALS_BOUNDARY","status":"KILLED","line":1,"column":2},
		{"type":"CONDITIONALS_BOUNDARY","status":"TIMED OUT","line":2,"column":2},
		{"type":"CONDITIONALS_BOUNDARY","status":"LIVED","line":3,"column":2},
		{"type":"ARITHMETIC_BASE","status":"LIVED","line":3,"column":2},
		{"type":"ARITHMETIC_BASE","status":"NOT COVERED","line":4,"column":2},
		{"type":"ARITHMETIC_BASE","status":"NOT VIABLE","line":5,"column":2}]}]}`
	known := []equivalent{{"frame/header.go", "n < 3", "CONDITIONALS_BOUNDARY"}}
	lines := func(file string, n int) string { return "if n < " + string(rune('0'+n)) + " {" }
	got, err := count("frame", []byte(report), known, lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := tally{
		name: "frame", killed: 1, timedOut: 1, equivalent: 1, notCovered: 1,
		survivors: []string{"frame/header.go:3:2 ARITHMETIC_BASE: if n < 3 {"},
		bare:      []string{"frame/header.go:4:2 ARITHMETIC_BASE: if n < 4 {"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tally{})); diff != "" {
		t.Error(diff)
	}
	if e := got.efficacy(); e < 0.66 || e > 0.67 {
		t.Errorf("efficacy %v", e)
	}
	var out bytes.Buffer
	if err := write(&out, []tally{got}); err != nil || !strings.Contains(out.String(), "66.7 %") || !strings.Contains(out.String(), "lived: frame/header.go:3:2") {
		t.Errorf("%v\n%s", err, &out)
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

func TestAChangeIsMadeWhereGremlinsWouldMakeIt(t *testing.T) {
	const source = "package p\n\tcase n <= 3:\n\tconst m = 5 - 2\n"
	for _, tt := range []struct {
		name, kind   string
		line, column int
		want         string
	}{
		{"a condition is negated", "CONDITIONALS_NEGATION", 2, 9, "\tcase n > 3:"},
		{"a boundary is moved", "CONDITIONALS_BOUNDARY", 2, 9, "\tcase n < 3:"},
		{"an operator is exchanged", "ARITHMETIC_BASE", 3, 14, "\tconst m = 5 + 2"},
		{"another place is refused", "ARITHMETIC_BASE", 2, 9, ""},
		{"a place behind the end is refused", "ARITHMETIC_BASE", 2, 90, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := change(source, tt.kind, tt.line, tt.column)
			if (err != nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
