package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestLinesAreCalledWholeAndPassedOn(t *testing.T) {
	var next bytes.Buffer
	var lines []string
	w := &Lines{Next: &next, Line: func(l string) { lines = append(lines, l) }}
	for _, part := range []string{"a", "b\nc\r", "\n\n", "rest"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%q: %d, %v", part, n, err)
		}
	}
	if want := []string{"ab", "c", ""}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
	if got := next.String(); got != "ab\nc\r\n\nrest" {
		t.Errorf("passed on: %q", got)
	}
}

func TestAWriterCanBeShared(t *testing.T) {
	var out bytes.Buffer
	w := &Shared{W: &out}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _, _ = w.Write([]byte("line\n")) })
	}
	wg.Wait()
	if got := strings.Count(out.String(), "line\n"); got != 8 {
		t.Errorf("%d lines", got)
	}
}

func TestAJournalKeepsLines(t *testing.T) {
	j := NewJournal()
	fmt.Fprint(j, "one\r\ntw")
	fmt.Fprint(j, "o\nthree")
	if got := strings.Join(j.All(), "|"); got != "one|two|three" {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("late")
	cancel(late)
	if _, err := j.Await(ctx, nil, regexp.MustCompile("three")); !errors.Is(err, late) {
		t.Errorf("an unfinished line was matched: %v", err)
	}
	if match, err := j.Await(ctx, nil, regexp.MustCompile("^two$")); err != nil || match[0] != "two" {
		t.Errorf("got %q, %v", match, err)
	}
	for range 30 {
		fmt.Fprintln(j, "more")
	}
	if got := j.Tail(); strings.Count(got, "more") != 20 || strings.Contains(got, "one") {
		t.Errorf("tail %q", got)
	}
}

func TestAwaitWaitsForALineOrTheEnd(t *testing.T) {
	j := NewJournal()
	go fmt.Fprintln(j, "now")
	if _, err := j.Await(t.Context(), nil, regexp.MustCompile("now")); err != nil {
		t.Error(err)
	}
	ended := make(chan struct{})
	close(ended)
	if _, err := j.Await(t.Context(), ended, regexp.MustCompile("never")); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Error(err)
	}
}
