package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const events = `{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"text"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"B"}
no JSON
{"Action":"skip","Package":"p","Test":"C"}
{"Action":"fail","Package":"p"}
`
	all, printed := parse([]byte(events))
	want := outcomes{"p A": "pass", "p B": "fail", "p C": "skip"} // B has not ended
	if d := cmp.Diff(want, all); d != "" || printed != "text" {
		t.Errorf("%s\n%q", d, printed)
	}
	if c := all.cell(); c != "1 pass, 1 fail, 1 skip" {
		t.Error(c)
	}
}

func TestWhatIsWorse(t *testing.T) {
	before := outcomes{"p A": "pass", "p B": "fail", "p C": "pass", "p D/x": "pass", "p D/y": "pass", original + " TestBufioReuse": "pass"}
	after := outcomes{"p A": "pass", "p B": "pass", "p C": "skip", "p D/x": "fail"}
	got := worse(before, after)
	if d := cmp.Diff([]string{"p C", "p D/x", "p D/y"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"C", "D"}, topLevel(got)); d != "" {
		t.Error(d)
	}
	var out strings.Builder
	r := result{program: program{module: "m"}, original: before, dropIn: after, race: before}
	if err := verdict(&out, []result{r}); err == nil || !strings.Contains(out.String(), "FAIL m") {
		t.Errorf("%v\n%s", err, &out)
	}
	r.dropIn = before
	if err := verdict(&out, []result{r}); err != nil {
		t.Error(err)
	}
}

func TestCut(t *testing.T) {
	src := `package websocket

import (
	"bufio"
	"testing"
)

func TestBufioReuse(t *testing.T) { _ = bufio.ErrBufferFull }

func TestOther(t *testing.T) {}
`
	got, err := cut([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); strings.Contains(s, "bufio") || !strings.Contains(s, "TestOther") {
		t.Error(s)
	}
	if _, err := cut([]byte("package websocket\n\nfunc TestFraming() {}\n")); err == nil {
		t.Error("an edit that finds nothing was made")
	}
}
