package child

import (
	"bytes"
	"testing"
)

// TestComplaintsArePassedOn, but for what pprof says of a rate that was set on purpose.
func TestComplaintsArePassedOn(t *testing.T) {
	var got bytes.Buffer
	for _, p := range []string{"one\n", rateSet, "two\n" + rateSet + "three\n"} {
		if n, err := (complaints{&got}).Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("%q: %d, %v", p, n, err)
		}
	}
	if got.String() != "one\ntwo\nthree\n" {
		t.Errorf("%q", got.String())
	}
}
