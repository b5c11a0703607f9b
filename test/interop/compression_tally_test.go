package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTallyIsOneLineAndItsNotes(t *testing.T) {
	b, out := newTestBench(t)
	tally := &tally{name: "peer", began: time.Now()}
	tally.add(&link{}, 3, nil)
	tally.add(&link{ID: 1}, 4, nil)
	tally.skip("cannot")
	tally.skip("cannot")
	tally.report(b.report)
	want := "note  peer: 2 connections with windows of 8 bits left out: cannot\nok    peer: 2 connections, 7 messages, in "
	if !strings.HasPrefix(out.String(), want) || b.report.passed != 1 {
		t.Errorf("got\n%s", out)
	}
}

func TestTallyShowsTheFirstFailures(t *testing.T) {
	b, out := newTestBench(t)
	tally := &tally{name: "peer", began: time.Now()}
	for id := range 7 {
		tally.add(&link{ID: id}, 1, errors.New("broke"))
	}
	tally.report(b.report)
	if lines := strings.Count(out.String(), "\n"); lines != 6 || !strings.Contains(out.String(), ": 7 failed\n      connection 0") || b.report.failed != 1 {
		t.Errorf("got\n%s", out)
	}
}

func TestTallyOfNothingFails(t *testing.T) {
	b, out := newTestBench(t)
	(&tally{}).report(b.report)
	if b.report.failed != 1 {
		t.Errorf("got\n%s", out)
	}
}
