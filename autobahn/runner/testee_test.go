package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/test/process"
)

func TestTesteeCommandLines(t *testing.T) {
	plain := &runner{o: &options{}, testee: "testee"}
	compressing := &runner{o: &options{compress: true}, testee: "testee"}
	tests := []struct {
		got  process.Command
		want string
	}{
		{plain.serverCommand("ws"), "testee server -listen 127.0.0.1:0"},
		{compressing.serverCommand("wss"), "testee server -listen 127.0.0.1:0 -tls -compress"},
		{plain.clientCommand("ws://127.0.0.1:1", false), "testee client -url ws://127.0.0.1:1 -agent wss"},
		{compressing.clientCommand("wss://127.0.0.1:1", true),
			"testee client -url wss://127.0.0.1:1 -agent wss -insecure -compress"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, strings.Join(tt.got.Args, " ")); diff != "" {
			t.Errorf("command (-want +got):\n%s", diff)
		}
	}
}

func TestBuildTestee(t *testing.T) {
	dir := t.TempDir()
	built, err := buildTestee(t.Context(), &options{testee: "."}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(built); err != nil || filepath.Dir(built) != dir || info.Size() == 0 {
		t.Errorf("built %s, error %v", built, err)
	}
	if got, err := buildTestee(t.Context(), &options{testee: built}, ""); err != nil || got != built {
		t.Errorf("an executable: got %s, error %v", got, err)
	}
	if _, err := buildTestee(t.Context(), &options{testee: "./missing", race: true}, dir); err == nil ||
		!strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing package: error %v", err)
	}
}

func TestStartServer(t *testing.T) {
	dir := installFakes(t, "testee")
	r := &runner{o: &options{}, testee: filepath.Join(dir, "testee")}
	var log bytes.Buffer
	p, url, err := r.startServer(t.Context(), "wss", &log)
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if url != "wss://127.0.0.1:1" || !strings.Contains(log.String(), "and more") {
		t.Errorf("url %s, log %q", url, log.String())
	}
	for fault, want := range map[string]string{
		"crash":  "ended before it listened",
		"babble": `first line is "hello"`,
		"mute":   context.DeadlineExceeded.Error(),
	} {
		t.Setenv(fakeTestee, fault)
		ctx := t.Context()
		if fault == "mute" {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			ctx = short
		}
		if _, _, err := r.startServer(ctx, "ws", io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", fault, err, want)
		}
	}
}
