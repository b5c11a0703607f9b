package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReportDirs(t *testing.T) {
	p := newPass(&options{out: t.TempDir(), cases: []string{"1.1.1", "1.1.2"}, parallel: 4}, roleServer, "wss")
	first := filepath.Join(p.dir, "shard-1", "report")
	if diff := cmp.Diff([]string{first}, p.reportDirs()); diff != "" {
		t.Errorf("before a run (-want +got):\n%s", diff)
	}
	// The last run may have had more shards than this one would.
	var want []string
	for i := range 3 {
		dir := filepath.Join(p.shardDir(i), reportDir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		want = append(want, dir)
	}
	if diff := cmp.Diff(want, p.reportDirs()); diff != "" {
		t.Errorf("after a run (-want +got):\n%s", diff)
	}
}

func TestProgress(t *testing.T) {
	var log bytes.Buffer
	r := &runner{log: &log}
	p := &pass{role: roleClient, scheme: "ws", cases: make([]string, 25)}
	for range 25 {
		r.progress(p, "Running test case ID 1.1.1 for agent wss from peer tcp4:127.0.0.1:1")
		r.progress(p, "Using Twisted reactor class")
	}
	if got := strings.Count(log.String(), "\n"); got != 10 || !strings.HasSuffix(log.String(), "client over ws: 25 of 25 cases begun\n") {
		t.Errorf("%d lines:\n%s", got, log.String())
	}
}

func TestEachShardRunsAllAndJoinsTheErrors(t *testing.T) {
	p := newPass(&options{cases: []string{"1", "2", "3"}, parallel: 3}, roleServer, "ws")
	failure := errors.New("no luck")
	ran := make(chan int, 3)
	err := (&runner{}).eachShard(p, func(i int) error {
		ran <- i
		if i == 1 {
			return failure
		}
		return nil
	})
	if len(ran) != 3 || !errors.Is(err, failure) || !strings.Contains(err.Error(), "shard 2") {
		t.Errorf("%d ran, error %v", len(ran), err)
	}
}

func TestEndedPrefersTheReason(t *testing.T) {
	reason, exit := errors.New("timed out"), errors.New("signal: terminated")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := ended(ctx, exit); err != exit {
		t.Errorf("still running: %v", err)
	}
	cancel(reason)
	if err := ended(ctx, exit); err != reason {
		t.Errorf("canceled: %v", err)
	}
	if err := ended(ctx, nil); err != nil {
		t.Errorf("canceled after a good end: %v", err)
	}
}
