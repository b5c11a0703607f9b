package stats

import (
	"slices"
	"testing"
)

func TestSummariseGivesMedianQuartilesAndExtremes(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Summary
	}{
		{nil, Summary{}},
		{[]float64{3}, Summary{3, 3, 3, 3, 3, 1}},
		{[]float64{4, 1}, Summary{2.5, 1.75, 3.25, 1, 4, 2}},
		{[]float64{5, 1, 4, 2, 3}, Summary{3, 2, 4, 1, 5, 5}},
	} {
		if got := Summarise(c.values); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.values, got, c.want)
		}
	}
}

func TestSummariseLeavesTheValuesAlone(t *testing.T) {
	v := []float64{3, 1, 2}
	Summarise(v)
	if !slices.Equal(v, []float64{3, 1, 2}) {
		t.Errorf("now %v", v)
	}
}

func TestRatiosAreMadeRoundByRound(t *testing.T) {
	got := Ratios([]float64{1, 4, 9, 5}, []float64{2, 0, 3})
	if !slices.Equal(got, []float64{0.5, 3}) {
		t.Errorf("%v", got)
	}
}
