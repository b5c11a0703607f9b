package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheSuiteHas517Cases(t *testing.T) {
	want := map[string]int{"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1, "12": 90, "13": 126}
	got := map[string]int{}
	core, compression := 0, 0
	for _, g := range Groups() {
		got[g.ID] = len(g.Cases)
		if g.Name == "" || strings.TrimSpace(g.Name) != g.Name {
			t.Errorf("group %s has the name %q", g.ID, g.Name)
		}
		if g.ID == "12" || g.ID == "13" {
			compression += len(g.Cases)
		} else {
			core += len(g.Cases)
		}
		for _, id := range g.Cases {
			if !strings.HasPrefix(id, g.ID+".") {
				t.Errorf("case %s is in group %s", id, g.ID)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	all := AllCases()
	if core != 301 || compression != 216 || len(all) != 517 {
		t.Errorf("%d + %d = %d cases", core, compression, len(all))
	}
	if !slices.IsSortedFunc(all, compareIDs) || len(slices.Compact(all)) != 517 {
		t.Error("out of order, or twice")
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		patterns []string
		want     []string
		count    int
	}{
		{[]string{"*"}, nil, 517},
		{[]string{"1.*"}, nil, 16},
		{[]string{"1.*", "1.1.1"}, nil, 16},
		{[]string{"7.13.*"}, []string{"7.13.1", "7.13.2"}, 2},
		{[]string{"12.*", " 13.* "}, nil, 216},
		{[]string{"2.10", "2.9", "1.2.8"}, []string{"1.2.8", "2.9", "2.10"}, 3},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.patterns, ","), func(t *testing.T) {
			got, err := Match(tt.patterns)
			if err != nil || len(got) != tt.count {
				t.Fatalf("%d cases, error %v", len(got), err)
			}
			if tt.want != nil && cmp.Diff(tt.want, got) != "" {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	for _, patterns := range [][]string{nil, {""}, {"1*"}, {"8.*"}, {"1.1.9"}, {"1.*", "nonsense"}, {"1.1.1."}, {"**"}} {
		if got, err := Match(patterns); err == nil {
			t.Errorf("%q matches %v", patterns, got)
		}
	}
}

func TestCompareIDs(t *testing.T) {
	ids := []string{"10.1.1", "2.10", "x", "2.9", "1.1.10", "1.1.2"}
	slices.SortFunc(ids, compareIDs)
	if diff := cmp.Diff([]string{"x", "1.1.2", "1.1.10", "2.9", "2.10", "10.1.1"}, ids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
