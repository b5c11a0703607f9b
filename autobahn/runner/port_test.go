package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/test/ports"
)

func TestWaitingForAPortIsCancelled(t *testing.T) {
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
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

// fake is a process that runs until done is closed.
type fake struct {
	done chan struct{}
	err  error
}

func (f *fake) Name() string          { return "wstest" }
func (f *fake) Done() <-chan struct{} { return f.done }
func (f *fake) Wait() error           { return f.err }

func running() *fake { return &fake{done: make(chan struct{})} }

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
