package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/test/process"
)

func TestForeignClientsConnectionsAreJudgedOnBothSides(t *testing.T) {
	z, out, links := newTestCompression(t, true)
	lib := &library{name: "fake", client: self(t, "compression-client")}
	if err := z.foreignClient(t.Context(), lib, links); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "ok    compression, fake client: 3 connections, ") {
		t.Errorf("got\n%s", out)
	}
}

func TestForeignClientWithoutAWordFails(t *testing.T) {
	z, out, links := newTestCompression(t, true)
	fakeProgram(t, z.dir, "silent", "")
	lib := &library{name: "fake", client: process.Command{Args: []string{filepath.Join(z.dir, "silent")}}}
	if err := z.foreignClient(t.Context(), lib, links); err != nil {
		t.Fatal(err)
	}
	if z.report.failed != 1 || !strings.Contains(out.String(), "the peer says nothing of it") {
		t.Errorf("got\n%s", out)
	}
}

func TestWhatCannotBeIsLeftOutWith8BitsAlone(t *testing.T) {
	z, _, links := newTestCompression(t, true)
	cannot := &linkOutcome{Cannot: "9 to 15"}
	for _, test := range []struct {
		name      string
		bits      int
		not8      bool
		skipped   int
		connected int
	}{
		{"8 bits that are not supported", 8, true, 1, 0},
		{"8 bits that are", 8, false, 0, 1},
		{"9 bits", 9, true, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := *links[0]
			l.want.clientBits = test.bits
			tally := &tally{}
			z.judge(t.Context(), tally, nil, &l, cannot, test.not8)
			if tally.skipped[cannot.Cannot] != test.skipped || tally.connections != test.connected || len(tally.failures) != test.connected {
				t.Errorf("got %+v", tally)
			}
		})
	}
}

func TestOutcomesAreCompared(t *testing.T) {
	want := agreement{serverBits: 15, clientBits: 12}
	all := outcomes([]string{
		"a warning", `{"listening": [1]}`,
		`{"connection": 0, "messages": 7, "extensions": "permessage-deflate; client_max_window_bits=12"}`,
		`{"connection": 1, "messages": 6, "extensions": "permessage-deflate; client_max_window_bits=12"}`,
		`{"connection": 2, "messages": 7, "extensions": ""}`,
		`{"connection": 3, "error": "broke"}`,
	})
	if len(all) != 4 {
		t.Fatalf("got %d", len(all))
	}
	for id, say := range []string{"", "has seen 6 messages, want 7", "no compression", "broke", "says nothing"} {
		err := all[id].agrees(want, 7)
		if say == "" && err != nil || say != "" && (err == nil || !strings.Contains(err.Error(), say)) {
			t.Errorf("%d: got %v, want %q", id, err, say)
		}
	}
}

func TestPlanIsCompleteInItsDirectory(t *testing.T) {
	z, _, links := newTestCompression(t, true)
	path, err := z.writePlan("peer", links)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") {
		t.Error("the plan has a null, which the scripts do not expect")
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil || len(p.Links) != len(links) || len(p.Sets) != setCount || p.Abreast < 1 {
		t.Errorf("got %d links, %d sets, %v", len(p.Links), len(p.Sets), err)
	}
	for _, kind := range p.Kinds {
		if data, err := os.ReadFile(filepath.Join(filepath.Dir(path), kind)); err != nil || len(data) != len(z.data[kind]) {
			t.Errorf("%s: %d bytes, %v", kind, len(data), err)
		}
	}
}

func TestPeersThatCannotBeHadFail(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b, out := newTestBench(t)
	if err := runCompression(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if b.report.failed != 3 || !strings.Contains(out.String(), "FAIL  compression, node: there is no node") {
		t.Errorf("got\n%s", out)
	}
}
