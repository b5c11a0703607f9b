package doccheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNamesInTablesExist: a row without a test fails, and so does one whose test or code
// was renamed.
func TestNamesInTablesExist(t *testing.T) {
	x := declarations(t)
	for doc, least := range map[string]int{"docs/security.md": 44, "docs/conformance.md": 195} {
		problems, rows := x.check(read(t, doc))
		for _, p := range problems {
			t.Errorf("%s: %s", doc, p)
		}
		if rows < least {
			t.Errorf("%s: %d rows, want %d at least", doc, rows, least)
		}
	}
}

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	// named is package.Name or package.Type.Member, the package with a path or without.
	named = regexp.MustCompile(`^(?:[a-z0-9]+/)*[a-z0-9]+\.\w+(?:\.\w+)?$`)
)

// check looks at the tables of a document that have a column "shown by" or "target":
// every row names a test there. Every entry of a column "code" is an identifier or a
// file. It returns what is wrong, and the number of rows.
func (x *index) check(doc string) (problems []string, rows int) {
	shown, code, width := -1, -1, 0
	lines := strings.Split(doc, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			shown = -1
			continue
		}
		cells := split(line)
		switch {
		case i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---"):
			shown = slices.IndexFunc(cells, func(s string) bool { return s == "shown by" || s == "target" })
			code, width = slices.Index(cells, "code"), len(cells)
			continue
		case shown < 0, strings.HasPrefix(line, "|---"):
			continue
		}
		rows++
		wrong := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("line %d: ", i+1)+fmt.Sprintf(format, args...))
		}
		if len(cells) != width {
			wrong("%d cells, want %d", len(cells), width)
			continue
		}
		x.checkRow(cells, shown, code, wrong)
	}
	return problems, rows
}

func (x *index) checkRow(cells []string, shown, code int, wrong func(string, ...any)) {
	tests := 0
	for col, cell := range cells {
		for _, q := range quoted.FindAllStringSubmatch(cell, -1) {
			name := q[1]
			isName := named.MatchString(name)
			if isName && isTest(name[strings.LastIndexByte(name, '.')+1:]) {
				if !has(x.tests, name) {
					wrong("the test %s does not exist", name)
				}
				if col == shown {
					tests++
				}
			} else if col == code && !x.files[name] && !(isName && has(x.code, name)) {
				wrong("the code %s does not exist", name)
			}
		}
	}
	if tests == 0 {
		wrong("no test")
	}
	if code >= 0 && !quoted.MatchString(cells[code]) {
		wrong("no code")
	}
}

// split returns the cells of a row; a bar behind a backslash belongs to its cell.
func split(line string) []string {
	line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00")
	cells := strings.Split(line, "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))
	}
	return cells
}

// TestTheCheckFindsWhatIsWrong: else all would be right.
func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	x := newIndex()
	for file, src := range map[string]string{
		"a/b/code.go": "package b; type T struct{ Field int }; type I interface{ Act() }; func (t *T) Do() {}; " +
			"type G[K any] struct{}; func (G[K]) Do() {}; func F() {}; var V int; const C = 1",
		"a/b/code_test.go": "package b; func TestA(t *testing.T) {}; func FuzzA(f *testing.F) {}; func helper() {}; " +
			"func (s suite) TestMethod() {}",
	} {
		if err := x.add(file, []byte(src)); err != nil {
			t.Fatal(err)
		}
	}
	const head = "| rule | code | shown by |\n|---|---|---|\n"
	for _, tt := range []struct{ name, doc, want string }{
		{"a wrong test beside a right one", head + "| `b.TestB` | `b.F` | `b.TestA` |", "the test b.TestB does not exist"},
		{"identifiers of every kind", head + "| r \\| s | `b.T`, `b.T.Do`, `b.T.Field`, `b.I.Act`, `b.G.Do`, `b.V`, `b.C`, `a/b/code.go` | `a/b.FuzzA`, `b.TestA` |", ""},
		{"a renamed test", head + "| r | `b.F` | `b.TestA`, `b.TestRenamed` |", "the test b.TestRenamed does not exist"},
		{"a test of another package", head + "| r | `b.F` | `c/b.TestA` |", "the test c/b.TestA does not exist"},
		{"a method is no test", head + "| r | `b.F` | `b.TestMethod` |", "the test b.TestMethod does not exist"},
		{"a row without a test", head + "| r | `b.F` | trust us |", "no test"},
		{"a test in another column only", head + "| `b.TestA` | `b.F` | |", "no test"},
		{"a renamed function", head + "| r | `b.Gone` | `b.TestA` |", "the code b.Gone does not exist"},
		{"a renamed method", head + "| r | `b.T.Gone` | `b.TestA` |", "the code b.T.Gone does not exist"},
		{"a file that moved", head + "| r | `a/b/gone.go` | `b.TestA` |", "the code a/b/gone.go does not exist"},
		{"a helper of the tests", head + "| r | `b.helper` | `b.TestA` |", "the code b.helper does not exist"},
		{"a row without code", head + "| r | | `b.TestA` |", "no code"},
		{"a bar too many", head + "| r | s | `b.F` | `b.TestA` |", "4 cells, want 3"},
		{"without a column for code", "| target | what |\n|---|---|\n| `b.FuzzGone` | x |", "the test b.FuzzGone does not exist"},
		{"a table of something else", "| a | b |\n|---|---|\n| c | d |", ""},
	} {
		problems, _ := x.check(tt.doc)
		got := strings.Join(problems, "; ")
		if tt.want == "" && got != "" || tt.want != "" && got != "line 3: "+tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
