//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Grace = 500 * time.Millisecond
	os.Exit(m.Run())
}

// setGrace sets Grace for a test.
func setGrace(t *testing.T, d time.Duration) {
	before := Grace
	t.Cleanup(func() { Grace = before })
	Grace = d
}

func shell(script string) Command { return Command{Args: []string{"/bin/sh", "-c", script}} }

// started starts a script and waits until it says that it is ready.
func started(t *testing.T, ctx context.Context, script string) *Process {
	t.Helper()
	out := NewJournal()
	p, err := Start(ctx, shell(script), out, out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Await(t.Context(), p.Done(), regexp.MustCompile("ready")); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAGroupIsEndedWithItsLeader(t *testing.T) {
	for name, end := range map[string]func(p *Process, cancel context.CancelFunc){
		"by stop":              func(p *Process, _ context.CancelFunc) { p.Stop() },
		"by the context":       func(_ *Process, cancel context.CancelFunc) { cancel() },
		"when the leader dies": func(p *Process, _ context.CancelFunc) { _ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			gone := make(chan error, 1) // when neither holds the other end any more
			go func() {
				_, err := os.ReadFile(fifo)
				gone <- err
			}()
			p := started(t, ctx, `exec 3>`+fifo+`; sleep 1000 & echo ready; wait`)
			if p.Ended() {
				t.Error("it has ended")
			}
			end(p, cancel)
			if err := p.Wait(); err == nil || !p.Ended() || !strings.Contains(err.Error(), p.Name()) {
				t.Errorf("ended %v, %v", p.Ended(), err)
			}
			select {
			case err := <-gone:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Error("one is still there")
			}
		})
	}
}

func TestStopEndsAtOnceWhatEndsWhenAsked(t *testing.T) {
	setGrace(t, time.Minute)
	p := started(t, t.Context(), `sleep 1000 & echo ready; wait`)
	p.Stop()
	// A child that lived on would hold the output open beyond the grace.
	if errors.Is(p.err, exec.ErrWaitDelay) {
		t.Error("the child was not ended")
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	setGrace(t, 50*time.Millisecond)
	p := started(t, t.Context(), `trap "" TERM; echo ready; while :; do sleep 1000; done`)
	if status := p.Stop(); status != -1 {
		t.Errorf("status %d, want a killed process", status)
	}
}

func TestStopSaysTheStatus(t *testing.T) {
	setGrace(t, time.Minute)
	p := started(t, t.Context(), `trap "exit 3" TERM; echo ready; while :; do sleep 0.01; done`)
	if status := p.Stop(); status != 3 {
		t.Errorf("status %d", status)
	}
}

func TestUndoRunsWhateverTheEnd(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for _, script := range []string{"true", "false"} {
		c := shell(script)
		c.Undo = []string{"/bin/sh", "-c", "echo " + script + " >>" + log}
		p, err := Start(t.Context(), c, io.Discard, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		<-p.Done()
	}
	if got, err := os.ReadFile(log); string(got) != "true\nfalse\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRunShowsTheEndOfTheOutput(t *testing.T) {
	var log bytes.Buffer
	output, err := Run(t.Context(), shell("echo cannot >&2; exit 1"), &log)
	if err == nil || !strings.Contains(err.Error(), "cannot") || output != "cannot\n" || log.String() != output {
		t.Errorf("output %q, log %q, error %v", output, log.String(), err)
	}
	long, err := Run(t.Context(), shell("seq 5000; exit 1"), io.Discard)
	if err == nil || len(err.Error()) > 3000 || !strings.HasSuffix(err.Error(), "5000\n") || !strings.HasPrefix(long, "1\n") {
		t.Errorf("%d bytes of output, error %v", len(long), err)
	}
	if _, err := Run(t.Context(), Command{Args: []string{filepath.Join(t.TempDir(), "missing")}}, io.Discard); err == nil {
		t.Error("a missing program starts")
	}
}
