package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goldenFile = `# What this server is known for.

6.4.1 NON-STRICT OK  # text is validated when the message has ended
7.1.2   FAILED   FAILED BY CLIENT
 7.5.1 OK WRONG CODE#1003
12.1.1 UNIMPLEMENTED OK
`

func golden(t *testing.T, text string) *Golden {
	t.Helper()
	g, err := ReadGolden(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAGoldenFileIsRead(t *testing.T) {
	g := golden(t, goldenFile)
	want := []Deviation{
		{"6.4.1", NonStrict, OK, "text is validated when the message has ended"},
		{"7.1.2", Failed, FailedByClient, ""},
		{"7.5.1", OK, WrongCode, "1003"},
		{"12.1.1", Unimplemented, OK, ""},
	}
	if diff := cmp.Diff(want, g.Deviations()); diff != "" {
		t.Errorf("deviations (-want +got):\n%s", diff)
	}
	var out bytes.Buffer
	if n, err := g.WriteTo(&out); err != nil || n != int64(out.Len()) {
		t.Errorf("%d octets, %v", n, err)
	}
	again := golden(t, out.String())
	if diff := cmp.Diff(want, again.Deviations()); diff != "" || !strings.HasPrefix(out.String(), "# What this server") {
		t.Errorf("written as\n%s", &out)
	}
}

func TestMalformedLinesAreNamed(t *testing.T) {
	_, err := ReadGolden(strings.NewReader(strings.Join([]string{
		"# fine", "6.4.1", "6.4.1 NON-STRICT", "6.4.1 SLOW OK", "6.4.1 OK SLOW", "8.1.1 FAILED OK", "6.4.1 OK OK", "7.1.6 INFORMATIONAL OK",
		"1.1.1 FAILED OK", "1.1.1 FAILED UNCLEAN", "1.1.2 FAILED BY CLIENT OK", "1.1.3 UNCLEAN OK", "",
	}, "\n")))
	var got []int
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		line, ok := errors.AsType[*GoldenError](e)
		if !ok || line.Reason == "" || line.Text == "" || !strings.Contains(line.Error(), "line ") {
			t.Errorf("%v", e)
			continue
		}
		got = append(got, line.Line)
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6, 7, 8, 10, 11, 12}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s\n%v", diff, err)
	}
	if _, err := ReadGolden(strings.NewReader(strings.Repeat("x", 1<<17))); err == nil {
		t.Error("a line without end was read")
	}
}

func TestJustTheKnownDeviationsPass(t *testing.T) {
	r := recorded(t)
	asked := []string{"1.1.1", "1.1.2", "6.3.1", "6.4.1", "6.4.2", "7.1.6", "7.13.1", "12.1.1"}
	const all = "6.3.1 OK WRONG CODE\n6.4.1 NON-STRICT OK\n6.4.2 NON-STRICT OK # why\n12.1.1 UNIMPLEMENTED OK\n"
	for name, test := range map[string]struct {
		file string
		want []string
	}{
		"all are known":          {all, nil},
		"one that was not asked": {all + "9.1.1 FAILED OK\n", nil},
		"one is not known": {strings.Replace(all, "6.4.1", "# 6.4.1", 1), []string{
			"6.4.1: behavior NON-STRICT, close OK (1007)",
		}},
		"another verdict": {strings.Replace(all, "6.4.1 NON-STRICT OK", "6.4.1 FAILED OK", 1), []string{
			"6.4.1: behavior NON-STRICT, close OK (1007)\n      The golden file has FAILED, OK.",
		}},
		"one has gone": {all + "1.1.1 FAILED OK\n", []string{
			"1.1.1: passes: take it out of the golden file, which has FAILED, OK",
		}},
	} {
		var got []string
		for _, p := range golden(t, test.file).Problems(r, asked) {
			p.Case.Description, p.Case.Result, p.Case.ResultClose = "", "", ""
			got = append(got, p.String())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var out bytes.Buffer
	if err := golden(t, all).WriteTable(&out, r, asked); err != nil || !strings.Contains(out.String(), "\npass: all 8 cases, but for 4 known deviations\n") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestAMissingCaseIsNoKnownDeviation(t *testing.T) {
	problems := golden(t, "1.1.1 FAILED FAILED").Problems(&Report{}, []string{"1.1.1"})
	if len(problems) != 1 || !problems[0].Missing {
		t.Errorf("%v", problems)
	}
}

func TestAGoldenFileIsUpdated(t *testing.T) {
	g := golden(t, "# head\n1.1.1 FAILED OK # gone\n6.4.1 FAILED OK # why\n9.1.1 FAILED OK # not asked\n")
	asked := []string{"1.1.1", "1.1.2", "6.3.1", "6.4.1", "6.4.2", "7.1.6", "7.13.1", "12.1.1"}
	r := recorded(t)
	next := g.Update(r, asked)
	var out bytes.Buffer
	if _, err := next.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	want := "# head\n6.3.1 OK WRONG CODE\n6.4.1 NON-STRICT OK  # why\n6.4.2 NON-STRICT OK\n9.1.1 FAILED OK  # not asked\n12.1.1 UNIMPLEMENTED OK\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if problems := next.Problems(r, asked); problems != nil {
		t.Errorf("%v", problems)
	}
	var nothing *Golden
	if got := nothing.Update(r, asked).Deviations(); len(got) != 4 {
		t.Errorf("from nothing: %v", got)
	}
}
