package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestAShortRunIsAccountedFor: all behaviours, many times faster than in earnest.
func TestAShortRunIsAccountedFor(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-time", "1s", "-conns", "40", "-pace", "0.05", "-seed", "3", "-every", "500ms"}
	if status := run(t.Context(), args, &out, &out); status != 0 {
		t.Fatalf("status %d\n%s", status, &out)
	}
	for _, want := range []string{"seed 3", "begin: heap", "shut down", "violator", "0 active", "ok: all is accounted for"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	for _, args := range [][]string{{"-time", "0s"}, {"-conns", "0"}, {"-pace", "-1"}, {"more"}, {"-nonsense"}} {
		if status := run(t.Context(), args, io.Discard, io.Discard); status != exitUsage {
			t.Errorf("%q: status %d", args, status)
		}
	}
	if status := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); status != 0 {
		t.Errorf("-h: status %d", status)
	}
}

func TestConnectionsFitTheDescriptors(t *testing.T) {
	for _, tt := range []struct{ descriptors, want int }{{20, 1}, {1024, 368}, {20_000, 7960}} {
		if got := affordable(tt.descriptors); got != tt.want {
			t.Errorf("%d descriptors: %d connections, want %d", tt.descriptors, got, tt.want)
		}
	}
}

func TestTheWeightsAreAHundred(t *testing.T) {
	sum := 0
	for _, b := range behaviours {
		sum += b.weight
	}
	if sum != 100 {
		t.Errorf("%d", sum)
	}
}
