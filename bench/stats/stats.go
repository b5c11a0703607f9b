// Package stats summarises rounds.
package stats

import "slices"

// Summary describes the values of all rounds: single rounds differ by up to twice, so
// what counts is the median; the quartiles and extremes say how far it can be trusted.
type Summary struct {
	Median float64 `json:"median"`
	Q1     float64 `json:"q1"`
	Q3     float64 `json:"q3"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// Summarise sorts a copy of the values. No values give the zero Summary.
func Summarise(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return Summary{
		Median: quantile(v, 0.5), Q1: quantile(v, 0.25), Q3: quantile(v, 0.75),
		Min: v[0], Max: v[len(v)-1], N: len(v),
	}
}

// quantile interpolates between the neighbours of position q in sorted values.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// Ratios divides a by b round by round: what disturbs one round disturbs its neighbour in
// the interleaving too, and cancels out. Rounds that one of them lacks are left out, and
// so are those in which b is zero.
func Ratios(a, b []float64) []float64 {
	var r []float64
	for i := range min(len(a), len(b)) {
		if b[i] != 0 {
			r = append(r, a[i]/b[i])
		}
	}
	return r
}
