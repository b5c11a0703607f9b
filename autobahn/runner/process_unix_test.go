//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alive says whether a process runs. One that has ended, and that nobody has waited for, does not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// waitGone polls: a process that was killed ends by itself, and tells nobody here.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); alive(t, pid); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

func TestAGroupIsEndedWithItsLeader(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc: ", err)
	}
	program := filepath.Join(t.TempDir(), "tree")
	linkFake(t, program)
	tests := []struct {
		name string
		end  func(p *process, cancel context.CancelFunc, leader int)
	}{
		{"by stop", func(p *process, _ context.CancelFunc, _ int) { p.stop() }},
		{"by the context", func(p *process, cancel context.CancelFunc, _ int) { cancel(); <-p.done }},
		{"when the leader dies", func(p *process, _ context.CancelFunc, leader int) {
			syscall.Kill(leader, syscall.SIGKILL)
			<-p.done
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			pids := make(chan string, 1)
			output := &lineWriter{next: io.Discard, line: func(l string) { pids <- l }}
			p, err := start(ctx, command{args: []string{program}}, output, output)
			if err != nil {
				t.Fatal(err)
			}
			child, err := strconv.Atoi(<-pids)
			if err != nil || !alive(t, child) {
				t.Fatalf("no child: %v", err)
			}
			tt.end(p, cancel, parentOf(t, child))
			if p.wait() == nil || !p.ended() {
				t.Error("it ended well")
			}
			waitGone(t, child)
		})
	}
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	parent, err := strconv.Atoi(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	return parent
}
