package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATestsResultIsTheMutantsStatus(t *testing.T) {
	files := map[string]string{
		"go.mod":        "module m\n\ngo 1.26\n",
		"p/p.go":        "package p\n\nfunc sum(n int) int {\n\ts := 0\n\tfor i := 0; i < n; i++ {\n\t\ts = s + i\n\t}\n\tif s > 99 {\n\t\treturn 99\n\t}\n\treturn s\n}\n",
		"p/p_test.go":   "package p\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(4) != 6 {\n\t\tt.Fail()\n\t}\n}\n",
		"p/all_test.go": "package p\n\nimport \"testing\"\n\nfunc TestLimit(t *testing.T) {\n\tif sum(100) != 99 {\n\t\tt.Fail()\n\t}\n}\n",
	}
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
	lab, err := newLaboratory(t.Context(), "p", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer lab.close()
	lab.limit = 2 * time.Second
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
	own := filepath.Join(dir, "read_test.go")
	if err := os.WriteFile(own, []byte("func TestMain(m *testing.M) {}\nfunc TestRead(t *testing.T) {}\nfunc ExampleRead() {}\nfunc helper(x int) {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := "=== RUN   TestSlow\n--- PASS: TestSlow (1.50s)\n    --- PASS: TestSlow/case (1.40s)\n--- PASS: TestQuick (0.10s)\n--- SKIP: TestNot (0.00s)\n"
	lab := &laboratory{slow: names(slowTests(out))}
	for _, tt := range []struct {
		name, file string
		want       [][]string
	}{
		{"a file with tests", "read.go", [][]string{{"-test.run", "^(TestRead|ExampleRead)$"}, {"-test.skip", "^(TestSlow)$"}, {"-test.run", "^(TestSlow)$"}}},
		{"a file without", "write.go", [][]string{{"-test.skip", "^(TestSlow)$"}, {"-test.run", "^(TestSlow)$"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lab.order(filepath.Join(dir, tt.file))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
