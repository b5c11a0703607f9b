package doccheck

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// TestTheActionRuns: the script of action.yml runs some cases against a server, and writes its reports; against one that does not echo it fails.
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
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		defer srv.Close()
		workspace := t.TempDir()
		cmd := exec.Command(bash, "-e", "-c", script)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GITHUB_WORKSPACE="+workspace, "URL=ws"+strings.TrimPrefix(srv.URL, "http"), "CASES=1.1.*", "INSECURE=false", "GOLDEN=", "REPORTS=conformance")
		out, err := cmd.CombinedOutput()
		if (err == nil) != echoes {
			t.Errorf("echoes: %v, %v\n%s", echoes, err, out)
		}
		for _, name := range []string{"index.html", "results.xml"} {
			if _, err := os.Stat(filepath.Join(workspace, "conformance", name)); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		}
	}
}
