package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblems(t *testing.T) {
	r := recorded(t)
	tests := []struct {
		name     string
		expected []string
		want     []string
	}{
		{"as recorded", []string{"1.1.1", "1.1.2", "6.3.1", "6.4.1", "6.4.2", "7.1.6", "7.13.1", "12.1.1"}, []string{
			"6.3.1: behavior OK, close WRONG CODE (1003)",
			"6.4.1: behavior NON-STRICT, close OK (1007)",
			"6.4.2: behavior NON-STRICT, close OK (1007)",
			"12.1.1: behavior UNIMPLEMENTED, close OK (1000)",
		}},
		{"with missing and unexpected ones", []string{"1.1.1", "1.1.10", "1.1.3", "6.3.1", "6.4.1", "6.4.2", "7.1.6", "12.1.1"}, []string{
			"1.1.2: unexpected: it is not among the cases asked for",
			"1.1.3: missing: the suite has no result for it",
			"1.1.10: missing: the suite has no result for it",
			"6.3.1: behavior OK, close WRONG CODE (1003)",
			"6.4.1: behavior NON-STRICT, close OK (1007)",
			"6.4.2: behavior NON-STRICT, close OK (1007)",
			"7.13.1: unexpected: it is not among the cases asked for",
			"12.1.1: behavior UNIMPLEMENTED, close OK (1000)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range r.Problems(tt.expected) {
				line, _, _ := strings.Cut(p.String(), "\n")
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEmptyReportIsNoPass(t *testing.T) {
	if got := len((&Report{}).Problems(AllCases())); got != 517 {
		t.Errorf("%d problems", got)
	}
}

func TestAPerfectReportHasNoProblems(t *testing.T) {
	r := perfect()
	if got := r.Problems(AllCases()); got != nil {
		t.Errorf("problems: %v", got)
	}
}

func perfect() *Report {
	r := &Report{Agent: "perfect", Cases: map[string]Case{}}
	for _, id := range AllCases() {
		r.Cases[id] = Case{ID: id, Behavior: OK, BehaviorClose: OK}
	}
	for _, id := range informational {
		r.Cases[id] = Case{ID: id, Behavior: Informational, BehaviorClose: Informational}
	}
	return r
}
