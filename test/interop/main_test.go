package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// withPeers replaces the peers for a test.
func withPeers(t *testing.T, python, node, browser error) {
	t.Helper()
	before := peers
	t.Cleanup(func() { peers = before })
	peers = before[:0:0]
	for n, err := range []error{python, node, browser} {
		peer := before[n]
		peer.run = func(_ context.Context, b *bench) error {
			b.report.add(peer.name+" check", nil)
			return err
		}
		peers = append(peers, peer)
	}
}

func TestRunGoesThroughAllPeers(t *testing.T) {
	withPeers(t, nil, nil, nil)
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"-cache", t.TempDir()}, &out, &log); status != 0 {
		t.Errorf("status %d: %s", status, &log)
	}
	want := "ok    python check\nok    node check\nok    browser check\n3 passed, 0 failed\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestRunFailsIfAPeerCannotBeHad(t *testing.T) {
	withPeers(t, nil, errors.New("there is no node"), nil)
	var out, log bytes.Buffer
	if status := run(t.Context(), nil, &out, &log); status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
	if !strings.Contains(out.String(), "FAIL  node: there is no node\nok    browser check\n3 passed, 1 failed\n") {
		t.Errorf("got\n%s", &out)
	}
}

func TestOnlyRunsOnePeer(t *testing.T) {
	withPeers(t, errors.New("not asked for"), nil, errors.New("not asked for"))
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"-only", "node"}, &out, &log); status != 0 || !strings.HasSuffix(out.String(), "1 passed, 0 failed\n") {
		t.Errorf("status %d:\n%s", status, &out)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "fortran"}, {"-nothing"}, {"more"}, {"-timeout", "0s"}} {
		var out, log bytes.Buffer
		if status := run(t.Context(), args, &out, &log); status != exitUsage || log.Len() == 0 {
			t.Errorf("%q: status %d, want %d with a message", args, status, exitUsage)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, &out, &log); status != 0 || !strings.Contains(log.String(), "python, node, browser") {
		t.Errorf("status %d: %s", status, &log)
	}
}

func TestCacheIsAbsolute(t *testing.T) {
	o, err := parseOptions([]string{"-cache", "here"}, nil)
	if err != nil || !filepath.IsAbs(o.cache) {
		t.Errorf("got %+v, %v", o, err)
	}
}
