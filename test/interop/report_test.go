package main

import (
	"bytes"
	"errors"
	"testing"
)

func TestReportPrintsOneLineACheck(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	r.add("one", nil)
	r.add("two", errors.New("broke\nlog"))
	if r.close() {
		t.Error("a report with a failure is no success")
	}
	if want := "ok    one\nFAIL  two: broke\n      log\n1 passed, 1 failed\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestReportWithoutChecksIsNoSuccess(t *testing.T) {
	if (&report{w: new(bytes.Buffer)}).close() {
		t.Error("nothing was checked")
	}
}

func TestNotesAreNotCounted(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	r.note("left out")
	if r.close() {
		t.Error("a note is no success")
	}
	if want := "note  left out\n0 passed, 0 failed\n"; out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}
