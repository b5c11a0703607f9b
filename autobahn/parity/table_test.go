package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

func TestTheTableNamesWhatDiffersAndWhy(t *testing.T) {
	before := causes
	t.Cleanup(func() { causes = before })
	causes = []known{{[]string{"go*"}, []string{"1.1.2"}, "it is known"}}
	ok, failed := verdict{report.OK, report.OK}, verdict{report.Failed, report.Unclean}
	o := outcome{testee{name: "gorilla", role: roleServer}, comparison{
		"1.1.1": {[]verdict{ok}, []verdict{ok}},
		"1.1.2": {[]verdict{ok, ok}, []verdict{failed, failed}},
		"1.1.3": {[]verdict{ok}, nil},
		"1.1.4": {[]verdict{failed, ok}, []verdict{ok, ok}},
	}}
	var got bytes.Buffer
	if err := writeTable(&got, []outcome{o}); err != nil {
		t.Fatal(err)
	}
	const want = `| testee | role | cases | failing | equal | unsteady | different |
|---|---|---|---|---|---|---|
| gorilla | server | 4 | 1 | 1 | 1 | 2 |

Unsteady:

| testee | role | case | original | ours | cause |
|---|---|---|---|---|---|
| gorilla | server | 1.1.4 | FAILED, UNCLEAN; OK, OK | OK, OK (2 times) |  |

Different:

| testee | role | case | original | ours | cause |
|---|---|---|---|---|---|
| gorilla | server | 1.1.2 | OK, OK (2 times) | FAILED, UNCLEAN (2 times) | it is known |
| gorilla | server | 1.1.3 | OK, OK | none |  |
`
	if got.String() != want {
		t.Errorf("got\n%s", &got)
	}
	if n := o.unexplained(); n != 1 {
		t.Errorf("%d without a cause", n)
	}
}

// TestThereAreTesteesForEverything: both roles, peers and a dozen faults, each by a name that its program knows.
func TestThereAreTesteesForEverything(t *testing.T) {
	all := testees()
	names := map[string]bool{}
	for _, x := range all {
		if key := x.String(); names[key] || strings.ContainsAny(key, "* ,?[") && !strings.Contains(key, ", ") {
			t.Errorf("%q cannot be named, or is there twice", key)
		} else {
			names[key] = true
		}
	}
	if n := len(faulty.Faults()); n < 12 || len(all) < n+2+len(peers) {
		t.Errorf("%d faults, %d testees", n, len(all))
	}
}

func TestTesteesAndCasesAreChosenByPattern(t *testing.T) {
	o, err := parseOptions([]string{"-testees", "wss,g*", "-cases", "1.1.*", "-role", "server"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range o.testees {
		names = append(names, x.String())
	}
	if want := []string{"wss, server", "gorilla, server", "gobwas, server", "gws, server"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if len(o.cases) != 8 {
		t.Errorf("%q", o.cases)
	}
	for _, args := range [][]string{
		{"-testees", "nobody"}, {"-testees", "wss,nobody"}, {"-testees", "gws", "-role", "client"}, {"-role", "judge"},
		{"-cases", "8.*"}, {"-parallel", "0"}, {"-repeat", "-1"}, {"more"}, {"-unknown"},
	} {
		if _, err := parseOptions(args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

// TestEveryCauseIsAboutSomething: a testee and a case that there are.
func TestEveryCauseIsAboutSomething(t *testing.T) {
	for _, k := range causes {
		if _, err := choose(testees(), k.testees); err != nil || k.cause == "" {
			t.Errorf("%+v: %v", k, err)
		}
		if _, err := report.Match(k.cases); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
}
