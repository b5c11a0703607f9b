package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if isNode() {
		return
	}
	os.Exit(m.Run())
}

// TestNodesShareTopics without faults, and then with one killed.
func TestNodesShareTopics(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"-clients", "6", "-topics", "2", "-faults", "kill"}, &out, &errs); status != 0 {
		t.Fatalf("status %d\n%s\n%s", status, &out, &errs)
	}
	if !strings.Contains(out.String(), "ok: nothing acknowledged was lost") {
		t.Errorf("%s", &out)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-nodes 2", "-clients 0", "-faults kill,earthquake", "-pause 0s", "more"} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), &out, &errs); status != exitUsage || !strings.Contains(errs.String(), "cluster: ") {
			t.Errorf("%s: status %d, %s", args, status, &errs)
		}
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, &out, &errs); status != 0 || !strings.Contains(errs.String(), "-rounds") {
		t.Errorf("status %d, %s", status, &errs)
	}
}
