package doccheck

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// blocks returns the blocks of Go in a document.
func blocks(doc string) (code []string) {
	for _, b := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(doc, -1) {
		code = append(code, b[1])
	}
	return code
}

// beginsFile is the prefix of a block that is a whole file: a program or a test.
const beginsFile = "package "

// TestFilesCompile builds each block of Go that is a whole file as a module of its own. A program that a test follows is built with it, and
// the test is run.
func TestFilesCompile(t *testing.T) {
	files := 0
	for _, doc := range documents(t) {
		all := slices.DeleteFunc(blocks(read(t, doc)), func(b string) bool { return !strings.HasPrefix(b, beginsFile) })
		files += len(all)
		for i, b := range all {
			if i+1 < len(all) && strings.HasPrefix(b, "package main") && isTestFile(all[i+1]) {
				continue // it is built with its test
			}
			if i > 0 && strings.HasPrefix(b, "package main") && isTestFile(b) {
				compile(t, doc, all[i-1], b)
				continue
			}
			compile(t, doc, b)
		}
	}
	if files < 8 {
		t.Errorf("%d files were found", files)
	}
}

const module = "github.com/seed-c4549abd/wss"

// nestedModules are the nested modules that documents import.
var nestedModules = []string{"observe/prometheus", "observe/otel"}

// replaced is the module in whose place the drop-in is used.
const replaced = "github.com/gorilla/websocket"

func isTestFile(file string) bool { return strings.Contains(file, "*testing.T") }

// compile vets a file as a module of its own, or a program and its test, which it runs. Its requirements are those of the root module, or of the nested one that it imports,
// so that nothing is downloaded.
func compile(t *testing.T, doc string, files ...string) {
	t.Helper()
	file := files[0]
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	at, mod := "", "require "+module+" v0.0.0\n"
	for _, dir := range nestedModules {
		if strings.Contains(file, `"`+module+"/"+dir+`"`) {
			at = dir + "/"
			mod = "require " + module + "/" + dir + " v0.0.0\nreplace " + module + "/" + dir + " => " + filepath.Join(top, dir) + "\n"
		}
	}
	if strings.Contains(file, `"`+replaced+`"`) { // what a program with gorilla is compiled with is the drop-in
		mod += "require " + replaced + " v0.0.0\nreplace " + replaced + " => " + filepath.Join(top, "compat/gorilla/replace") + "\n"
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
	for _, f := range files {
		write(t, filepath.Join(dir, map[bool]string{false: "main.go", true: "main_test.go"}[isTestFile(f)]), f)
	}
	cmd := exec.Command("go", "vet", "-mod=mod", ".")
	if len(files) > 1 {
		cmd = exec.Command("go", "test", "-mod=mod", ".")
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", doc, err, out, file)
	}
}

// documents returns the names of all documents.
func documents(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, strings.TrimPrefix(name, root+"/"))
		}
	}
	return names
}

// TestSnippetsAreCompiled: each block of Go that is not a whole file is part of a Go file, so that it compiles.
func TestSnippetsAreCompiled(t *testing.T) {
	var all strings.Builder
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		b, err := os.ReadFile(name)
		all.WriteString("\n" + withoutIndent(string(b)) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	snippets := 0
	for _, doc := range documents(t) {
		for _, b := range blocks(read(t, doc)) {
			if strings.HasPrefix(b, beginsFile) {
				continue
			}
			snippets++
			for _, part := range strings.Split(withoutIndent(b), "\n…\n") { // … stands for lines that were left out
				if !strings.Contains(all.String(), "\n"+part+"\n") {
					t.Errorf("%s: no Go file has this: put it into an example, or into docs/how-to/snippets.go\n%s", doc, part)
				}
			}
		}
	}
	if snippets < 15 {
		t.Errorf("%d snippets were found", snippets)
	}
}

// withoutIndent returns code without indentation and without blanks that align columns.
func withoutIndent(code string) string {
	lines := strings.Split(strings.TrimSpace(code), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
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
