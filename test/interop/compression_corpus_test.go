package main

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-c4549abd/wss/conn"
)

func TestSetsAreValidAndOfAllSizes(t *testing.T) {
	c := newCorpus()
	seen := make(map[int]bool)
	bursts, mebibytes := 0, 0
	for n, set := range c.sets() {
		for _, e := range append(set.Messages, set.Burst...) {
			m := c.message(e)
			if m.Type == conn.Text && !utf8.Valid(m.Data) {
				t.Errorf("set %d: %+v is no UTF-8", n, e)
			}
			if len(m.Data) > messageLimit {
				t.Errorf("set %d: %+v is longer than the limit", n, e)
			}
			seen[len(m.Data)] = true
			if len(m.Data) > messageLimit-4 {
				mebibytes++
			}
		}
		if len(set.Burst) == burstLength {
			bursts++
		}
	}
	for _, size := range append(slices.Clone(zipSizes), messageLimit) {
		if !seen[size] {
			t.Errorf("no message of %d bytes", size)
		}
	}
	if bursts != 2 || mebibytes != 4 {
		t.Errorf("%d bursts and %d mebibytes, want 2 and 4", bursts, mebibytes)
	}
}

func TestCorpusIsTheSameEveryTime(t *testing.T) {
	a, b := newCorpus(), newCorpus()
	for _, kind := range kinds {
		if !slices.Equal(a[kind], b[kind]) || len(a[kind]) == 0 {
			t.Errorf("%s differs, or is empty", kind)
		}
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	c := corpus{"letters": []byte("aé世👋b")}
	for _, test := range []struct {
		name        string
		text        bool
		start, size int
		want        string
	}{
		{"whole characters", true, 1, 2, "é"},
		{"a start within one", true, 2, 4, "世"},
		{"an end within one", true, 0, 4, "aé"},
		{"nothing fits", true, 2, 1, ""},
		{"bytes", false, 2, 1, "\xa9"},
	} {
		got := string(c.message(c.cut("letters", test.text, test.start, test.size)).Data)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
