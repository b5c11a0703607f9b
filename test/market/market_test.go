package main

import (
	"context"
	"strings"
	"testing"
)

// TestMarket runs the command with few clients.
func TestMarket(t *testing.T) {
	if testing.Short() {
		t.Skip("trades for three seconds")
	}
	var out, problems strings.Builder
	status := run(context.Background(), []string{"-time", "3s", "-conns", "50", "-rate", "500"}, &out, &problems)
	if status != 0 || !strings.Contains(out.String(), "ok: all clients have the last price") {
		t.Errorf("status %d\n%s%s", status, &out, &problems)
	}
}

func TestWrongUseIsNamed(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-conns 5", "-conns is at least 10"},
		{"-time 1ms", "less than a second"},
		{"more", `unexpected argument "more"`},
		{"-nonsense", "flag provided but not defined"},
	} {
		var out, problems strings.Builder
		status := run(context.Background(), strings.Fields(tt.args), &out, &problems)
		if status != exitUsage || !strings.Contains(problems.String(), tt.want) {
			t.Errorf("%s: status %d, %q", tt.args, status, &problems)
		}
	}
}

// TestABacklogIsNoticed: judge fails on a backlog, on a heap that has grown, and if no price was replaced.
func TestABacklogIsNoticed(t *testing.T) {
	o := &options{conns: 50, rate: 500, follow: 2}
	m := &market{options: o, clients: []*client{{id: 0, stalls: true, stale: o.stale() + 1}, {id: 1}}, heapBefore: 1 << 20, heapStalled: 64 << 20}
	var out strings.Builder
	if m.judge(&out) {
		t.Error("it passes")
	}
	for _, want := range []string{"old prices were expected", "the heap has grown", "no price was replaced"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, &out)
		}
	}
}
