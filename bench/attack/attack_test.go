package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/child"
)

// TestMain lets this binary be a child, as the command itself is.
func TestMain(m *testing.M) {
	if os.Getenv(child.Env) != "" {
		if err := child.Run(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestEveryAttackMeasuresEveryLibrary, with next to nothing.
func TestEveryAttackMeasuresEveryLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("measures every attack")
	}
	cert, key, err := child.NewCert()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{scale: 0.005, rounds: 1, settle: 1, cert: cert, key: key, log: io.Discard}
	var all []result
	for _, r := range attacks() {
		got := b.measure(r)
		for _, name := range names {
			if _, ok := got.medians[name]; !ok && r.absent[name] == "" {
				t.Errorf("%s, %s: %v", r.name, name, got.failed[name])
			}
		}
		all = append(all, got)
	}
	var out bytes.Buffer
	if err := write(&out, all); err != nil {
		t.Fatal(err)
	}
	for _, r := range attacks() {
		if !strings.Contains(out.String(), r.name) {
			t.Errorf("the table lacks %q", r.name)
		}
	}
}

func TestTheTableMarksWhatIsAboveTheBetterPeer(t *testing.T) {
	figures := func(ours, gorilla, coder float64) map[string]figure {
		return map[string]figure{"wss": {cost: ours}, "gorilla": {cost: gorilla}, "coder": {cost: coder, ended: 3 << 20}}
	}
	var out bytes.Buffer
	err := write(&out, []result{
		{row: row{name: "cheap", unit: "B"}, medians: figures(10, 9, 20)},
		{row: row{name: "dear", unit: "B"}, medians: figures(31, 20, 30)},
		{row: row{name: "ours alone", unit: "B", absent: map[string]string{"gorilla": "it cannot", "coder": "it cannot"}},
			medians: map[string]figure{"wss": {cost: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1.11", "1.55  above", "1 of 3 rows are above 1.5", "dear: coder ends it after 3.0 MiB.", "ours alone: without gorilla: it cannot.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestUnknownRowsAreRefused(t *testing.T) {
	if err := run(t.Context(), []string{"-rows", "pings,nonsense"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "takeover") {
		t.Errorf("got %v", err)
	}
	if rows, err := choose("pings,records"); len(rows) != 2 || err != nil {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}
