package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATestsResultIsTheMutantsStatus(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs a package for each of several changes")
	}
	files := map[string]string{
		"go.mod":        "module m\n\ngo 1.26\n",
		"p/p.go":        "package p\n\nfunc sum(n int) int {\n\ts := 0\n\tfor i := 0; i < n; i++ {\n\t\ts = s + i\n\t}\n\tif s > 99 {\n\t\treturn 99\n\t}\n\treturn s\n}\n",
		"p/p_test.go":   "package p\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(4) != 6 {\n\t\tt.Fail()\n\t}\n}\n",
		"p/all_test.go": "package p\n\nimport \"testing\"\n\nfunc TestLimit(t *testing.T) {\n\tif sum(100) != 99 {\n\t\tt.Fail()\n\t}\n}\n",
	}
	files["p/fails_test.go"] = "package p\n\nimport \"testing\"\n\nfunc TestFails(t *testing.T) { t.Fail() }\n" // is left out
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	lab, err := newLaboratory(t.Context(), "p", 1, "TestFails")
	if err != nil {
		t.Fatal(err)
	}
	defer lab.close()
	lab.grace = 15 * time.Second // that a busy machine may stop for
	for _, tt := range []struct {
		name string
		m    mutant
		want status
	}{
		{"its own test fails", mutant{"p/p.go", 6, 9, "ARITHMETIC_BASE"}, killed},
		{"another file's test fails", mutant{"p/p.go", 8, 7, "CONDITIONALS_NEGATION"}, killed},
		{"none fails", mutant{"p/p.go", 8, 7, "CONDITIONALS_BOUNDARY"}, lived},
		{"the tests do not end", mutant{"p/p.go", 5, 22, "INCREMENT_DECREMENT"}, timedOut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := lab.try(t.Context(), tt.m); got != tt.want || err != nil {
				t.Errorf("%s: %s, %v", tt.m, got, err)
			}
		})
	}
	after, err := os.ReadFile(filepath.Join(lab.dir, "p", "p.go"))
	if diff := cmp.Diff(files["p/p.go"], string(after)); err != nil || diff != "" {
		t.Errorf("the changes were not taken back: %v\n%s", err, diff)
	}
}

func TestTestsAreOrderedByTheirTime(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "read_test.go"), []byte("func TestRead(t *testing.T) {}\nfunc ExampleRead() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lab := &laboratory{usual: durations(`=== RUN   TestSlow
--- PASS: TestSlow (1.50s)
    --- PASS: TestSlow/case (1.40s)
--- PASS: TestRead (2.00s)
--- PASS: TestQuick (0.10s)
--- SKIP: TestReadNot (0.00s)
--- PASS: ExampleRead (0.00s)
`)}
	for _, tt := range []struct {
		name, file string
		want       [][]string
	}{
		{"a file with tests", "read.go", [][]string{{"ExampleRead", "TestRead"}, {"TestQuick", "TestReadNot"}, {"TestSlow"}}},
		{"a file without", "write.go", [][]string{{"ExampleRead", "TestQuick", "TestReadNot"}, {"TestRead", "TestSlow"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lab.order(filepath.Join(dir, tt.file))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
