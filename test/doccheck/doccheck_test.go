package doccheck

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// TestProgramsInREADMECompile builds each block of Go as a module of its own.
func TestProgramsInREADMECompile(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d programs, want a server and a client", len(blocks))
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	// The root's requirements serve: nothing is looked up.
	mod := strings.Replace(read(t, "go.mod"), "module github.com/seed-c4549abd/wss", "module readme", 1) +
		"\nrequire github.com/seed-c4549abd/wss v0.0.0\nreplace github.com/seed-c4549abd/wss => " + top + "\n"
	for _, b := range blocks {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "go.mod"), mod)
		write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
		write(t, filepath.Join(dir, "main.go"), b[1])
		cmd := exec.Command("go", "vet", "-mod=mod", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, b[1])
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
