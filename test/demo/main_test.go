package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	for _, args := range []string{"-only opera", "more", "-none"} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), &out, &errs); status != exitUsage || errs.Len() == 0 {
			t.Errorf("%s: status %d, %s", args, status, &errs)
		}
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, &out, &errs); status != 0 || !strings.Contains(errs.String(), "-pictures") {
		t.Errorf("status %d, %s", status, &errs)
	}
}

// TestTheDemoStarts with one node and with two, and ends when it is asked to.
func TestTheDemoStarts(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the demo, and servers need seconds to find each other")
	}
	program, err := build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(program) })
	for _, two := range []bool{false, true} {
		d, err := start(t.Context(), program, two)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 1, true: 2}[two]; len(d.urls) != want {
			t.Errorf("the nodes are %v", d.urls)
		}
		if status := d.stop(); status != 0 {
			t.Errorf("it ended with %d\n%s", status, d.journal.Tail())
		}
	}
}
