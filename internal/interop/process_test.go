package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestAwaitFindsALineAndStopEndsTheProcess(t *testing.T) {
	p, err := start(t.Context(), self(t, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	if match, err := p.await(t.Context(), "^(sl)eep"); err != nil || match[1] != "sl" {
		t.Errorf("got %q, %v", match, err)
	}
	if status := p.stop(); status == 0 {
		t.Error("a process that was killed has status 0")
	}
	if _, err := p.await(t.Context(), "never"); err == nil || !strings.Contains(err.Error(), "has ended\nsleeping") {
		t.Errorf("got %v, want the end and the output", err)
	}
}

func TestContextEndsTheProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := start(ctx, self(t, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if p.wait() == nil {
		t.Error("want an error")
	}
}

func TestRunCommandReturnsOutputAndStatus(t *testing.T) {
	out, err := runCommand(t.Context(), self(t, "unknown"))
	if err == nil || !strings.Contains(err.Error(), "no part called unknown") || !strings.Contains(out, "no part") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := runCommand(t.Context(), command{args: []string{"/nothing/here"}}); err == nil {
		t.Error("want an error for a program that is missing")
	}
}

func TestJournalKeepsLines(t *testing.T) {
	j := newJournal()
	fmt.Fprint(j, "one\r\ntw")
	fmt.Fprint(j, "o\nthree")
	if got := strings.Join(j.all(), "|"); got != "one|two|three" {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("late")
	cancel(late)
	if _, err := j.await(ctx, regexp.MustCompile("three")); !errors.Is(err, late) {
		t.Errorf("an unfinished line was matched: %v", err)
	}
	if match, err := j.await(ctx, regexp.MustCompile("^two$")); err != nil || match[0] != "two" {
		t.Errorf("got %q, %v", match, err)
	}
}

func TestAwaitWaitsForALine(t *testing.T) {
	j := newJournal()
	go fmt.Fprintln(j, "now")
	if _, err := j.await(t.Context(), regexp.MustCompile("now")); err != nil {
		t.Error(err)
	}
}
