package suitecmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// lines is a writer that tells where the server listens.
type lines struct {
	mu  sync.Mutex
	out bytes.Buffer
	url chan string
}

var urlPattern = regexp.MustCompile(`\bwss?://\S+`)

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if url := urlPattern.Find(b); url != nil {
		l.url <- string(url)
	}
	return l.out.Write(b)
}

// serveCases runs the command as a server, has a client run all cases and stop it, and returns what it printed.
func serveCases(t *testing.T, client func(ctx context.Context, url string), args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	stderr := &lines{url: make(chan string, 1)}
	done := make(chan error, 1)
	go func() { done <- Run(t.Context(), append(args, "-listen", "127.0.0.1:0"), &out, stderr) }()
	select {
	case base := <-stderr.url:
		client(t.Context(), base)
	case err := <-done:
		return out.String(), err
	}
	err = <-done
	if err == nil && !strings.Contains(stderr.out.String(), `"me", 2.1: OK, OK`) {
		t.Errorf("progress without a case:\n%s", &stderr.out)
	}
	return out.String(), err
}

// answering is a client that runs cases, sends back what answer makes of a message, and goes to a last path.
func answering(t *testing.T, answer func([]byte) []byte, last string, ids ...string) func(context.Context, string) {
	dial := &conn.DialOptions{TLS: &tls.Config{InsecureSkipVerify: true}}
	return func(ctx context.Context, base string) {
		var paths []string
		for _, id := range ids {
			paths = append(paths, "/runCase?"+url.Values{"casetuple": {id}, "agent": {"me"}}.Encode())
		}
		for _, path := range append(paths, last) {
			c, _, err := conn.Dial(ctx, base+path, dial)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			for m, err := range c.Messages(ctx) {
				if err != nil || c.Write(ctx, m.Type, answer(m.Data)) != nil {
					break
				}
			}
			_ = c.CloseNow()
		}
	}
}

func same(b []byte) []byte { return b }

func TestClientsAreServed(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	server, _ := testtls.Configs(tls.VersionTLS13)
	der, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: server.Certificates[0].Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		last string
		args []string
	}{
		"ws":                         {"/stopServer", []string{"-plain"}},
		"wss, a certificate":         {"/updateReports?agent=me", []string{"-cert", cert, "-key", key, "-once"}},
		"wss, made for this run":     {"/updateReports?agent=me&shutdownOnComplete=true", []string{"-development"}},
		"reports that are asked for": {"/updateReports?agent=me", []string{"-plain", "-once"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "reports")
			args := append([]string{"-cases", "2.1,7.1.1", "-out", out, "-junit", filepath.Join(t.TempDir(), "junit.xml")}, test.args...)
			stdout, err := serveCases(t, answering(t, same, test.last, "2.1", "7.1.1"), args...)
			if err != nil || !strings.Contains(stdout, "pass: all 2 cases") {
				t.Errorf("%v\n%s", err, stdout)
			}
			for _, name := range []string{"index.json", "index.html", "me_case_2_1.json", "me_case_7_1_1.html"} {
				if _, err := os.Stat(filepath.Join(out, name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAClientThatLeavesCasesOutFails(t *testing.T) {
	stdout, err := serveCases(t, answering(t, same, "/stopServer", "2.1"), "-plain", "-cases", "2.1,7.1.1")
	if !errors.Is(err, ErrFailed) || !strings.Contains(stdout, "7.1.1: missing") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if _, err := serveCases(t, answering(t, same, "/stopServer"), "-plain"); err == nil || errors.Is(err, ErrFailed) {
		t.Errorf("without a case: %v", err)
	}
}

func TestKnownDeviationsPass(t *testing.T) {
	known := filepath.Join(t.TempDir(), "known.txt")
	junit := filepath.Join(t.TempDir(), "junit.xml")
	wrong := func([]byte) []byte { return []byte("wrong") }
	serve := func(answer func([]byte) []byte, args ...string) (string, error) {
		args = append(args, "-plain", "-cases", "2.1,7.1.1", "-golden", known, "-junit", junit)
		return serveCases(t, answering(t, answer, "/stopServer", "2.1", "7.1.1"), args...)
	}
	if _, err := serve(wrong); err == nil || errors.Is(err, ErrFailed) {
		t.Errorf("without the file: %v", err)
	}
	if stdout, err := serve(wrong, "-update-golden"); err != nil {
		t.Errorf("update: %v\n%s", err, stdout)
	}
	data, err := os.ReadFile(known)
	if err != nil || !strings.HasPrefix(string(data), "7.1.1 FAILED ") || strings.Count(string(data), "\n") != 1 {
		t.Errorf("file %q, %v", data, err)
	}
	if stdout, err := serve(wrong); err != nil || !strings.Contains(stdout, "but for 1 known deviation") {
		t.Errorf("known: %v\n%s", err, stdout)
	}
	if data, err := os.ReadFile(junit); err != nil || strings.Contains(string(data), "<failure") {
		t.Errorf("%s, %v", data, err)
	}
	if stdout, err := serve(same); !errors.Is(err, ErrFailed) || !strings.Contains(stdout, "7.1.1: passes: take it out") {
		t.Errorf("gone: %v\n%s", err, stdout)
	}
	if stdout, err := serve(same, "-update-golden"); err != nil || !strings.Contains(stdout, "pass: all 2 cases\n") {
		t.Errorf("update: %v\n%s", err, stdout)
	}
	if err := os.WriteFile(known, []byte("7.1.1 WHAT\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serve(same); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("malformed: %v", err)
	}
}

func TestFlagsThatDoNotGoTogetherAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-listen", "127.0.0.1:0"},
		{"-listen", "127.0.0.1:0", "-plain", "-development"},
		{"-listen", "127.0.0.1:0", "-plain", "-url", "ws://localhost"},
		{"-listen", "127.0.0.1:0", "-plain", "-insecure"},
		{"-listen", "127.0.0.1:0", "-plain", "-wait", "1s"},
		{"-listen", "127.0.0.1:0", "-plain", "-H", "A: b"},
		{"-listen", "127.0.0.1:0", "-cert", "none.pem"},
		{"-listen", "127.0.0.1:0", "-cert", "none.pem", "-key", "none.pem"},
		{"-listen", "127.0.0.1:0", "-plain", "-cases", "8.*"},
		{"-listen", "no address", "-plain"},
		{"-url", "ws://localhost", "-plain"},
		{"-url", "ws://localhost", "-once"},
		{"-url", "ws://localhost", "-update-golden"},
		{"-url", "ws://localhost", "-golden", "none.txt"},
	} {
		if err := Run(t.Context(), args, io.Discard, io.Discard); err == nil || errors.Is(err, ErrFailed) {
			t.Errorf("%q: error %v", args, err)
		}
	}
}
