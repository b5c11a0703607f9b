package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-c4549abd/wss/autobahn/report"
)

func TestSplit(t *testing.T) {
	cases := []string{"1", "2", "3", "4", "5"}
	tests := []struct {
		n    int
		want [][]string
	}{
		{1, [][]string{cases}},
		{2, [][]string{{"1", "3", "5"}, {"2", "4"}}},
		{5, [][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}}},
		{9, [][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, split(cases, tt.n)); diff != "" {
			t.Errorf("%d shards (-want +got):\n%s", tt.n, diff)
		}
	}
}

func TestSplitLosesNoCase(t *testing.T) {
	all := report.AllCases()
	for n := 1; n < 8; n++ {
		shards := split(all, n)
		got := slices.Concat(shards...)
		slices.Sort(got)
		want := slices.Sorted(slices.Values(all))
		if len(shards) != n || !slices.Equal(got, want) {
			t.Errorf("%d shards: %d, with %d cases", n, len(shards), len(got))
		}
		for _, shard := range shards {
			if len(shard) < len(all)/n || len(shard) > len(all)/n+1 {
				t.Errorf("%d shards: one has %d cases", n, len(shard))
			}
		}
	}
}
