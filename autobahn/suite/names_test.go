package suite

import (
	"slices"
	"strings"
	"testing"
)

func TestNamesOfFilesAreSafeAndDifferent(t *testing.T) {
	var reports []*Report
	for _, agent := range []string{"Ours 1.0", "ours/1/0", "../../etc/passwd", "", "\x00", strings.Repeat("x", 300)} {
		reports = append(reports, &Report{Agent: agent})
	}
	want := []string{"ours_1_0", "ours_1_0_2", "etc_passwd", "", "_2", strings.Repeat("x", 80)}
	if got := stems(reports); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fileName("ours", "7.13.1", ".json"); got != "ours_case_7_13_1.json" {
		t.Error(got)
	}
}
