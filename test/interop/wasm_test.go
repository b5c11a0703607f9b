package main

import (
	"strings"
	"testing"
)

func TestWasmReportsEachLine(t *testing.T) {
	var out strings.Builder
	r := &report{w: &out}
	reportWasm(r, "ok one\nFAIL two: because: of this\nok three")
	want := "ok    wasm: one\nFAIL  wasm: two: because: of this\nok    wasm: three\n"
	if out.String() != want || r.passed != 2 || r.failed != 1 {
		t.Errorf("%d passed, %d failed:\n%s", r.passed, r.failed, out.String())
	}
}

func TestWasmPageShowsResultsOrWhyNot(t *testing.T) {
	for _, test := range []struct{ state, want string }{
		{"done", ""},
		{"failed: no program", "the page failed: no program\nok one"},
	} {
		f := &fakeDriver{texts: map[string]string{"#state": "begun", "#results": ""}}
		f.onClick = func(_ string, texts map[string]string) { texts["#state"], texts["#results"] = test.state, "ok one" }
		lines, err := wasmResults(t.Context(), f.session(t), "https://localhost/")
		if got := errorText(err); got != test.want || lines != "ok one" {
			t.Errorf("%s: %q, error %q", test.state, lines, got)
		}
	}
}
