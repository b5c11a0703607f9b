package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/test/process"
)

// runFakes runs the program with the fakes of installFakes.
func runFakes(ctx context.Context, t *testing.T, dir string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	args = append([]string{"-testee", filepath.Join(dir, "testee"), "-out", filepath.Join(dir, "out"),
		"-cache", filepath.Join(dir, "cache"), "-parallel", "2"}, args...)
	status = run(ctx, args, &out, &log)
	return status, out.String(), log.String()
}

// showLogs logs what the fakes have printed.
func showLogs(t *testing.T, dir string) {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "out", "*", "shard-*", "*.log")) // the pattern is well-formed
	for _, name := range logs {
		if printed, err := os.ReadFile(name); err == nil && len(printed) > 0 {
			t.Logf("%s:\n%s", strings.TrimPrefix(name, dir), printed)
		}
	}
}

func TestRunPasses(t *testing.T) {
	for _, engine := range []string{"up", "down"} {
		t.Run("docker "+engine, func(t *testing.T) {
			dir := installFakes(t, "docker", "python2.7", "testee")
			t.Setenv(fakeEngine, engine)
			status, stdout, stderr := runFakes(t.Context(), t, dir, "-cases", "1.*,7.*")
			if status != 0 {
				showLogs(t, dir)
				t.Fatalf("status %d: %s", status, stderr)
			}
			for _, p := range []string{"server over ws", "server over wss", "client over ws", "client over wss"} {
				if !strings.Contains(stdout, "\n"+p+" (") {
					t.Errorf("no table for %s:\n%s", p, stdout)
				}
				if !strings.Contains(stderr, p+": 53 of 53 cases begun") {
					t.Errorf("no progress of %s:\n%s", p, stderr)
				}
			}
			if got := strings.Count(stdout, "pass: all 53 cases"); got != 4 {
				t.Errorf("%d passes:\n%s", got, stdout)
			}
			log, _ := os.ReadFile(os.Getenv(fakeLog))
			runs, removals := strings.Count(string(log), "run --rm"), strings.Count(string(log), "rm --force")
			if want := map[string]int{"up": 8, "down": 0}[engine]; runs != want || removals != want {
				t.Errorf("%d containers run, %d removed, want %d", runs, removals, want)
			}
			status, again, stderr := runFakes(t.Context(), t, dir, "-cases", "1.*,7.*", "-read")
			if status != 0 || strings.Count(again, "pass: all 53 cases") != 4 {
				t.Errorf("read again: status %d, %s\n%s", status, stderr, again)
			}
			status, again, _ = runFakes(t.Context(), t, dir, "-cases", "*", "-read", "-role", "server")
			if status != 1 || !strings.Contains(again, "13.7.18: missing") {
				t.Errorf("read again for all cases: status %d\n%s", status, again)
			}
		})
	}
}

func TestRunFails(t *testing.T) {
	tests := []struct {
		name           string
		env, value     string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"when a case does", fakeSuite, "fail", nil, 1, "1.1.1: behavior FAILED, close OK", ""},
		{"when wstest does", fakeSuite, "crash", nil, 1, "1.1.1: missing", "shard 1: "},
		{"when the testee does", fakeTestee, "crash", []string{"-role", "server"}, 1, "1.1.1: missing", "ended before it listened"},
		{"when the testee speaks another scheme", fakeTestee, "plain", []string{"-role", "server"}, 1, "", "want wss"},
		{"when it takes too long", fakeSuite, "hang", []string{"-timeout", "2s", "-role", "server"}, 1, "1.1.1: missing", "timed out after 2s"},
		{"without a suite", fakePip, "down", nil, 1, "", "neither works here"},
		{"without a testee", "", "", []string{"-testee", "missing"}, 1, "", "cannot build the testee"},
		{"without a report to read", "", "", []string{"-read"}, 1, "1.1.1: missing", "index.json"},
		{"on a wrong flag", "", "", []string{"-role", "peer"}, 2, "", "want server, client or both"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := installFakes(t, "python2.7", "testee")
			if tt.env != "" {
				t.Setenv(tt.env, tt.value)
			}
			args := append([]string{"-scheme", "wss", "-cases", "1.1.1,1.1.2,1.1.3"}, tt.args...)
			status, stdout, stderr := runFakes(t.Context(), t, dir, args...)
			if status != tt.status || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
		})
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	if status, _, stderr := runFakes(t.Context(), t, "", "-help"); status != 0 || !strings.Contains(stderr, "-parallel") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// A ctrl-C ends all processes, and the reports that are there are shown.
func TestInterruption(t *testing.T) {
	dir := installFakes(t, "python2.7", "testee")
	t.Setenv(fakeSuite, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o, err := parseOptions([]string{"-testee", filepath.Join(dir, "testee"), "-out", filepath.Join(dir, "out"),
		"-cache", filepath.Join(dir, "cache"), "-cases", "1.1.1"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	log := &process.Lines{Next: &bytes.Buffer{}, Line: func(line string) {
		if strings.Contains(line, "1 of 1 cases begun") {
			cancel()
		}
	}}
	passed, err := runAll(ctx, o, &stdout, log)
	if passed || err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("passed %v, error %v", passed, err)
	}
	if got := strings.Count(stdout.String(), "FAIL: 1 problems"); got != 1 {
		t.Errorf("%d passes were tried:\n%s", got, stdout.String())
	}
}
