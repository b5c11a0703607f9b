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
	programs := blocks(t, "README.md")
	if len(programs) < 2 {
		t.Fatalf("%d programs, want a server and a client", len(programs))
	}
	for _, p := range programs {
		compile(t, p)
	}
}

// TestProgramsOfMonitoringCompile, of which two need a nested module.
func TestProgramsOfMonitoringCompile(t *testing.T) {
	programs := blocks(t, "docs/how-to/monitoring.md")
	if len(programs) != 3 {
		t.Fatalf("%d programs", len(programs))
	}
	compile(t, programs[0])
	compile(t, programs[1], "observe/prometheus")
	compile(t, programs[2], "observe/otel")
}

// blocks are the blocks of Go in a document.
func blocks(t *testing.T, name string) (programs []string) {
	t.Helper()
	for _, b := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, name), -1) {
		programs = append(programs, b[1])
	}
	return programs
}

// compile vets a program as a module of its own, with the requirements of the root module or of a nested one: nothing is
// looked up.
func compile(t *testing.T, program string, nested ...string) {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/seed-c4549abd/wss"
	at := ""
	mod := "require " + module + " v0.0.0\n"
	for _, dir := range nested {
		at = dir + "/"
		mod = "require " + module + "/" + dir + " v0.0.0\nreplace " + module + "/" + dir + " => " + filepath.Join(top, dir) + "\n"
	}
	mod += "replace " + module + " => " + top + "\n"
	for line := range strings.Lines(read(t, at+"go.mod")) {
		switch {
		case strings.HasPrefix(line, "module "):
			mod = "module program\n" + mod
		case !strings.HasPrefix(line, "replace "):
			mod += line
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), read(t, at+"go.sum"))
	write(t, filepath.Join(dir, "main.go"), program)
	cmd := exec.Command("go", "vet", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, program)
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
