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
func TestProgramsInREADMECompile(t *testing.T) { compilePrograms(t, "README.md", 2) }

// TestProgramsInTheGuideCompile: the blocks that are whole files.
func TestProgramsInTheGuideCompile(t *testing.T) {
	for _, doc := range []string{"docs/how-to/browser.md", "docs/how-to/reconnecting.md", "docs/how-to/testing.md"} {
		compilePrograms(t, doc, 1)
	}
}

// compilePrograms vets the programs and tests of a document, of which there are at least so many.
func compilePrograms(t *testing.T, doc string, least int) {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```go\n(package .*?)```").FindAllStringSubmatch(read(t, doc), -1)
	if len(blocks) < least {
		t.Fatalf("%s: %d programs, want %d", doc, len(blocks), least)
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
		name := "main.go"
		if strings.Contains(b[1], "*testing.T") {
			name = "main_test.go"
		}
		write(t, filepath.Join(dir, name), b[1])
		cmd := exec.Command("go", "vet", "-mod=mod", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", doc, err, out, b[1])
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
