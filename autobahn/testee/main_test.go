package main

import (
	"io"
	"strings"
	"testing"
)

func TestWrongUseIsExplained(t *testing.T) {
	for _, args := range [][]string{nil, {"proxy"}, {"server", "-nonsense"}, {"client", "-nonsense"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if err := run(t.Context(), nil, io.Discard); !strings.Contains(err.Error(), "usage") {
		t.Errorf("got %v", err)
	}
}
