package doccheck

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestTheActionRuns: the script of action.yml runs some cases against a server, and writes its reports; against one that does not echo it fails.
// The server wants a token, has a certificate of its own, and starts late.
func TestTheActionRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the suite")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	_, indented, found := strings.Cut(read(t, "action.yml"), "      run: |\n")
	if !found {
		t.Fatal("action.yml has no script")
	}
	script := regexp.MustCompile(`(?m)^ {8}`).ReplaceAllString(indented, "")
	for _, echoes := range []bool{true, false} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-Second") != "2" {
				http.Error(w, "no token", http.StatusUnauthorized)
				return
			}
			c, err := conn.Accept(w, r, nil)
			if err != nil {
				return
			}
			_ = c.Serve(r.Context(), func(c *conn.Conn, m conn.Message) error {
				if !echoes {
					m.Data = []byte("something else")
				}
				return c.Write(r.Context(), m.Type, m.Data)
			})
		}))
		srv.TLS, _ = testtls.Configs(tls.VersionTLS13)
		workspace := t.TempDir()
		block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.TLS.Certificates[0].Certificate[0]}
		if err := os.WriteFile(filepath.Join(workspace, "ca.pem"), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		// Nobody listens at the address until the suite has tried it.
		address := srv.Listener.Addr().String()
		srv.Listener.Close()
		cmd := exec.Command(bash, "-e", "-c", script)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GITHUB_WORKSPACE="+workspace, "URL=wss://"+address, "CASES=1.1.*", "WAIT=60s", "CA=ca.pem", "INSECURE=false",
			"HEADERS=Authorization: Bearer secret\nX-Second: 2", "GOLDEN=", "REPORTS=conformance")
		var out late
		out.onWaiting = func() {
			ln, err := net.Listen("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			srv.Listener = ln
			srv.StartTLS()
			t.Cleanup(srv.Close)
		}
		cmd.Stdout, cmd.Stderr = &out, &out // one writer, so that Write is called by one goroutine
		err := cmd.Run()
		if (err == nil) != echoes {
			t.Errorf("echoes: %v, %v\n%s", echoes, err, &out)
		}
		for _, name := range []string{"index.html", "results.xml"} {
			if _, err := os.Stat(filepath.Join(workspace, "conformance", name)); err != nil {
				t.Errorf("%v\n%s", err, &out)
			}
		}
		pages, err := filepath.Glob(filepath.Join(workspace, "conformance", "*case_1_1_1.json"))
		if err != nil || len(pages) != 1 {
			t.Fatalf("the reports of a case are %q, %v", pages, err)
		}
		page, err := os.ReadFile(pages[0])
		if err != nil || !strings.Contains(string(page), "Authorization: (not shown)") || strings.Contains(string(page), "secret") {
			t.Errorf("the report of a case: %v\n%s", err, page)
		}
	}
}

// late is the output of the action. It calls onWaiting once, when the suite has said that it waits.
type late struct {
	text      bytes.Buffer
	onWaiting func()
	called    bool
}

func (l *late) Write(b []byte) (int, error) {
	n, err := l.text.Write(b)
	if !l.called && strings.Contains(l.text.String(), "waiting for a server") {
		l.called = true
		l.onWaiting()
	}
	return n, err
}

func (l *late) String() string { return l.text.String() }
