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

// TestNamesInSecurityTableExist: a row without a test, or with one that was renamed,
// fails.
func TestNamesInSecurityTableExist(t *testing.T) {
	doc := read(t, "docs/security.md")
	defined := definitions(t)
	names := regexp.MustCompile("`(?:[a-z]+/)*([a-z]+)\\.((?:Test|Fuzz)\\w+)`")
	rows := 0
	for line := range strings.Lines(doc) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what broke") || strings.HasPrefix(line, "| target") {
			continue
		}
		rows++
		found := names.FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("no test in %s", line)
		}
		for _, f := range found {
			if !defined[f[1]+"."+f[2]] {
				t.Errorf("%s.%s does not exist", f[1], f[2])
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows", rows)
	}
}

// definitions returns the tests and fuzz targets of the module as package.Name.
func definitions(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	fn := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range fn.FindAllSubmatch(src, -1) {
			out[filepath.Base(filepath.Dir(path))+"."+string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
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
