package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
)

func TestFreePort(t *testing.T) {
	port, err := freePort()
	if err != nil || port == 0 {
		t.Fatalf("port %d, error %v", port, err)
	}
	if err := waitForPort(canceled(t), port, running()); !errors.Is(err, context.Canceled) {
		t.Errorf("something listens on a free port, or %v", err)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func running() *process { return &process{name: "wstest", done: make(chan struct{})} }

func TestWaitForPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if err := waitForPort(t.Context(), port, running()); err != nil {
		t.Errorf("it listens: %v", err)
	}
	ln.Close()
	gone := running()
	gone.err = errors.New("exit status 3")
	close(gone.done)
	if err := waitForPort(t.Context(), port, gone); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it has ended: %v", err)
	}
}

func TestSyncWriter(t *testing.T) {
	var out bytes.Buffer
	w := &syncWriter{w: &out}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { w.Write([]byte("line\n")) })
	}
	wg.Wait()
	if got := strings.Count(out.String(), "line\n"); got != 8 {
		t.Errorf("%d lines", got)
	}
}
