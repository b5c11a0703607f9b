package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// asCommand has the test's binary be the command: so it is built once, and with the race detector if the tests are.
const asCommand = "WSS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	if do := os.Getenv(asChild); do != "" {
		child(do)
		return
	}
	os.Exit(testMain(m))
}

// testMain runs the tests with a configuration directory of their own, where the development authority is.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wss-command")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		os.Setenv(name, dir)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // for the command as a process
	return m.Run()
}

// output is a buffer for several goroutines.
type output struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.String()
}

// result is what a run has printed, and its status.
type result struct {
	status      int
	out, errors string
}

// runWith runs the command in this process, with an input and a change to its console.
func runWith(t *testing.T, in io.Reader, change func(*console), args ...string) result {
	t.Helper()
	var out, errors output
	c := &console{in: in, out: &out, err: &errors}
	if change != nil {
		change(c)
	}
	status := run(t.Context(), args, c)
	return result{status, out.String(), errors.String()}
}

// runCommand runs the command in this process, without input.
func runCommand(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, strings.NewReader(""), nil, args...)
}

// check fails the test unless the status is as wanted, and the outputs contain texts.
func (r result) check(t *testing.T, status int, texts ...string) {
	t.Helper()
	all := r.out + r.errors
	if r.status != status {
		t.Errorf("status %d, want %d", r.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("nothing says %q", text)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", r.out, r.errors)
	}
}

// processOf returns the command as a process of its own.
func processOf(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// testServer is a wss server with the certificate of package testtls.
type testServer struct {
	*httptest.Server
	url string
	ca  string // file of the certificate
}

// newServer returns a server that hands each connection to handle. change may change its configuration.
func newServer(t *testing.T, o *conn.AcceptOptions, handle func(*conn.Conn, *http.Request), change func(*httptest.Server)) *testServer {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, o); err == nil {
			handle(c, r)
		}
	}))
	srv.TLS, _ = testtls.Configs(tls.VersionTLS13)
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(srv)
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	certificate := srv.TLS.Certificates[0].Certificate[0]
	return &testServer{Server: srv, url: "wss" + strings.TrimPrefix(srv.URL, "https") + "/", ca: writePEM(t, "CERTIFICATE", certificate)}
}

// newEcho returns an echo server.
func newEcho(t *testing.T) *testServer {
	return newServer(t, nil, func(c *conn.Conn, _ *http.Request) { _ = c.Serve(c.Context(), echo) }, nil)
}

// newCloser returns a server that sends messages and closes.
func newCloser(t *testing.T, code conn.StatusCode, reason string, messages ...conn.Message) *testServer {
	return newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		for _, m := range messages {
			_ = c.Write(c.Context(), m.Type, m.Data)
		}
		_ = c.Close(code, reason)
	}, nil)
}

func text(s string) conn.Message { return conn.Message{Type: conn.Text, Data: []byte(s)} }

func writePEM(t *testing.T, kind string, der []byte) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// keyPair writes the certificate of package testtls, and its key.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	server, _ := testtls.Configs(tls.VersionTLS13)
	der, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", server.Certificates[0].Certificate[0]), writePEM(t, "PRIVATE KEY", der)
}

func TestMistakesInTheCommandLineHaveStatus2(t *testing.T) {
	for _, args := range [][]string{
		{}, {"what"}, {"connect"}, {"connect", "http:///"}, {"connect", "-what", "wss://localhost"}, {"connect", "wss://localhost", "more"},
		{"connect", "ftp://localhost"}, {"connect", "-cert", "x", "wss://localhost"}, {"connect", "-H", "no colon", "wss://localhost"},
		{"connect", "-insecure", "-ca", "x", "wss://localhost"}, {"connect", "-ping", "-1s", "wss://localhost"},
		{"connect", "-proxy", "http://", "wss://localhost"}, {"connect", "-timeout", "0s", "wss://localhost"},
		{"serve"}, {"serve", "-echo", "--", "cat"}, {"serve", "-echo", "-cert", "x"}, {"serve", "-echo", "-plain", "-cert", "x", "-key", "x"},
		{"serve", "-echo", "-max-conns", "0"}, {"serve", "-echo", "-origin", "*"}, {"serve", "-echo", "-binary"},
		{"probe"}, {"probe", "-pings", "101", "wss://localhost"}, {"probe", "-ech", "?", "wss://localhost"},
		{"bench", "-conns", "10001", "wss://localhost"}, {"bench", "-size", "7", "wss://localhost"}, {"bench", "-time", "11m", "wss://localhost"},
		{"bench", "-rate", "1e6", "-conns", "2", "wss://localhost"}, {"bench", "-rate", "NaN", "wss://localhost"}, {"bench", "wss://example.com"},
		{"conform"}, {"conform", "wss://localhost", "more"}, {"conform", "-listen", "127.0.0.1:0", "wss://localhost"},
		{"conform", "-url", "wss://localhost", "wss://localhost"},
		{"completion"}, {"completion", "tcsh"}, {"help", "what"}, {"version", "more"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			runCommand(t, args...).check(t, exitUsage, "wss")
		})
	}
}

func TestEveryCommandHasHelpWithExamplesFirst(t *testing.T) {
	overview := runCommand(t, "help")
	overview.check(t, 0)
	for _, name := range commandNames() {
		help := runCommand(t, "help", name)
		help.check(t, 0, "Examples:", "\n  wss "+name, "Usage: wss "+name)
		if asked := runCommand(t, name, "-h"); asked.out != help.out {
			t.Errorf("wss %s -h prints\n%s", name, asked.out)
		}
		if !strings.Contains(overview.out, "\n  wss "+name+" ") {
			t.Errorf("wss help does not list %s", name)
		}
	}
}

func TestVersionNamesGo(t *testing.T) {
	runCommand(t, "version").check(t, 0, "wss ", ", go1")
	runCommand(t, "--version").check(t, 0, "wss ", ", go1")
}

func TestControlCharactersAreEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 🙂":           "plain é 🙂",
		"tab\tand\nline":      "tab\tand\nline",
		"\x1b[31mred\x07":     `\u001b[31mred\u0007`,
		"over\rwritten":       `over\u000dwritten`,
		"\u009b31m \u007f":    `\u009b31m \u007f`,
		"\u202eright to left": `\u202eright to left`,
		"\u2028":              `\u2028`,
		"\xff\xfe":            `\xff\xfe`,
	} {
		if got := escapeControls(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
