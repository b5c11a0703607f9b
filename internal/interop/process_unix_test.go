//go:build unix

package main

import (
	"errors"
	"os/exec"
	"testing"
	"time"
)

func TestStopEndsTheWholeGroup(t *testing.T) {
	p, err := start(t.Context(), command{args: []string{"/bin/sh", "-c", "sleep 1000 & echo ready; wait"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.await(t.Context(), "ready"); err != nil {
		t.Fatal(err)
	}
	p.stop()
	// A child that lived on would hold the output open beyond the grace.
	if errors.Is(p.err, exec.ErrWaitDelay) {
		t.Error("the child was not ended")
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	before := grace
	t.Cleanup(func() { grace = before })
	grace = 50 * time.Millisecond
	p, err := start(t.Context(), command{args: []string{"/bin/sh", "-c", `trap "" TERM; echo ready; while :; do sleep 1000; done`}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.await(t.Context(), "ready"); err != nil {
		t.Fatal(err)
	}
	if status := p.stop(); status != -1 {
		t.Errorf("status %d, want a killed process", status)
	}
}
