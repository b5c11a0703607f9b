package wire

import (
	"slices"
	"testing"
)

// TestEagerLearns from what its guesses came to: where nothing ever comes it reads in vain ever
// more seldom, where something always does it reads each time but for the others' turn, and
// it finds out when that has changed.
func TestEagerLearns(t *testing.T) {
	taken := func(e *eager, chances int, hit bool) (at []int) {
		for i := range chances {
			if e.again() {
				at = append(at, i)
				e.learn(hit)
			}
		}
		return at
	}
	var e eager
	if got, want := taken(&e, 256, false), []int{0, 2, 6, 14, 30, 62, 126, 190, 254}; !slices.Equal(got, want) {
		t.Errorf("reads in vain %v, want %v", got, want)
	}
	e = eager{pass: 5, misses: mostMisses}
	got := taken(&e, 5+2*(mostHits+1), true)
	if len(got) != 2*mostHits || got[0] != 5 || slices.Contains(got, 5+mostHits) {
		t.Errorf("where there is always something: %d reads, %v", len(got), got)
	}
	e.learn(true)
	e.learn(false)
	if got, want := taken(&e, 4, false), []int{1}; !slices.Equal(got, want) {
		t.Errorf("after hits and a miss: %v, want %v", got, want)
	}
}
