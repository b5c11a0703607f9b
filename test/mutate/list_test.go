package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMutantsAreReadFromTheReport(t *testing.T) {
	const report = `{"files":[
		{"file_name":"queue.go","mutations":[{"type":"ARITHMETIC_BASE","status":"NOT COVERED","line":4,"column":2}]},
		{"file_name":"internal/wire/hello.go","mutations":[
			{"type":"CONDITIONALS_NEGATION","status":"RUNNABLE","line":3,"column":2},
			{"type":"CONDITIONALS_BOUNDARY","status":"RUNNABLE","line":3,"column":2}]}]}`
	hello := []mutant{
		{"internal/wire/hello.go", 3, 2, "CONDITIONALS_NEGATION"},
		{"internal/wire/hello.go", 3, 2, "CONDITIONALS_BOUNDARY"},
	}
	for _, tt := range []struct {
		name, only string
		want       []mutant
	}{
		{"all", "", append([]mutant{{"internal/wire/queue.go", 4, 2, "ARITHMETIC_BASE"}}, hello...)},
		{"those in a file", `^hello\.go`, hello},
		{"those in a line", `^hello\.go:3:`, hello},
		{"those of a kind", `BOUNDARY`, hello[1:]},
		{"the directory is not part of the name", "wire", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse("internal/wire", []byte(report), regexp.MustCompile(tt.only))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(mutant{})); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestASampleCanBeRepeated(t *testing.T) {
	var all []mutant
	for line := range 100 {
		all = append(all, mutant{"conn/read.go", line + 1, 3, "ARITHMETIC_BASE"})
	}
	ten := sample(all, 10, 1)
	if len(ten) != 10 {
		t.Fatalf("a sample of 10: %v", ten)
	}
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	if again := sample(reversed, 10, 1); !slices.Equal(again, ten) {
		t.Errorf("the same seed chose %v, then %v", ten, again)
	}
	if other := sample(all, 10, 2); slices.Equal(other, ten) {
		t.Error("another seed chose the same")
	}
	if twenty := sample(all, 20, 1); !slices.Equal(twenty[:10], ten) {
		t.Errorf("a sample of 10 is %v, one of 20 %v", ten, twenty)
	}
	for _, n := range []int{0, 100, 101} {
		if got := sample(all, n, 1); len(got) != 100 {
			t.Errorf("a sample of %d: %d of 100", n, len(got))
		}
	}
}

func TestAChangeIsMadeAtItsPlace(t *testing.T) {
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
			got, err := mutant{"p.go", tt.line, tt.column, tt.kind}.apply(source)
			if (err != nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
