package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// counts counts outcomes, without gorilla's tests that are not run with the drop-in.
func (o outcomes) counts() (passed, failed, skipped int) {
	for name, how := range o {
		switch {
		case isDropped(name):
		case how == "pass":
			passed++
		case how == "skip":
			skipped++
		default:
			failed++
		}
	}
	return passed, failed, skipped
}

// cell says how many tests passed, and what became of the others.
func (o outcomes) cell() string {
	passed, failed, skipped := o.counts()
	s := fmt.Sprintf("%d pass", passed)
	if failed > 0 {
		s += fmt.Sprintf(", %d fail", failed)
	}
	if skipped > 0 {
		s += fmt.Sprintf(", %d skip", skipped)
	}
	return s
}

// table is the Markdown table of all programs.
func table(results []result) string {
	var b strings.Builder
	b.WriteString("| module | what it is | packages | with the original | with the drop-in | with the drop-in, -race |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s | %s |\n",
			r.module, r.version, r.field, strings.Join(r.packages, " "), r.original.cell(), r.dropIn.cell(), r.race.cell())
	}
	return b.String()
}

// notRun says how many of gorilla's tests are run with the drop-in, and lists the others.
func notRun(results []result) string {
	var b strings.Builder
	for _, r := range results {
		if r.module == original {
			all, run := len(topLevel(slices.Sorted(maps.Keys(r.original)))), len(topLevel(slices.Sorted(maps.Keys(r.dropIn))))
			fmt.Fprintf(&b, "%d of the original's %d tests are run with the drop-in. ", run, all)
		}
	}
	b.WriteString("Not run:\n")
	for _, d := range dropped {
		fmt.Fprintf(&b, "  %s: %s\n", d.test, d.reason)
	}
	return b.String()
}

// verdict prints one line for each program, and the tests that do not end alike. It returns an error if there are any.
func verdict(out io.Writer, results []result) error {
	differ := 0
	fmt.Fprintln(out)
	for _, r := range results {
		bad := append(worse(r.original, r.dropIn), worse(r.original, r.race)...)
		differ += len(bad)
		word := "ok  "
		if len(bad) > 0 {
			word = "FAIL"
		}
		passed, _, _ := r.dropIn.counts()
		fmt.Fprintf(out, "%s %s: %d tests pass with the drop-in\n", word, r.module, passed)
		for _, name := range bad {
			fmt.Fprintf(out, "FAIL passes with the original only: %s\n", name)
		}
		for name, how := range r.original {
			if how == "fail" {
				fmt.Fprintf(out, "# fails with the original, too, and %ses with the drop-in: %s\n", r.dropIn[name], name)
			}
		}
		if len(r.repeated) > 0 {
			fmt.Fprintf(out, "# run again, as it did not end alike at first: %s\n", strings.Join(r.repeated, ", "))
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d tests pass with the original only", differ)
	}
	return nil
}
