package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
)

func TestMessagesAreSplitAsTheOriginalDoes(t *testing.T) {
	for _, test := range []struct {
		payload string
		n       int
		want    []string
	}{
		{"", 2, []string{""}},
		{"ab", 2, []string{"ab"}},
		{"abc", 2, []string{"ab", "c"}},
		{"abcd", 2, []string{"ab", "cd", ""}}, // the last fragment is empty
	} {
		var got []string
		frames := split(frame.Text, test.payload, test.n)
		for i, f := range frames {
			got = append(got, f.Payload)
			if opcode := f.Opcode == frame.Text; opcode != (i == 0) || f.More != (i < len(frames)-1) {
				t.Errorf("%q by %d: fragment %d is %+v", test.payload, test.n, i, f)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q by %d: %q, want %q", test.payload, test.n, got, test.want)
		}
	}
}

func TestAPayloadIsRepeatedToItsLength(t *testing.T) {
	for _, test := range []struct {
		frame Frame
		want  string
	}{
		{Frame{Payload: "abc"}, "abc"},
		{Frame{Payload: "abc", Length: 2}, "ab"},
		{Frame{Payload: "abc", Length: 6}, "abcabc"},
		{Frame{Payload: "abc", Length: 7}, "abcabca"},
	} {
		if got := test.frame.octets(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.frame, got, test.want)
		}
	}
}

// TestSequencesAreValidWhereTheOriginalSaysSo lists the valid ones by group, which in the code follow from the octets.
func TestSequencesAreValidWhereTheOriginalSaysSo(t *testing.T) {
	valid := map[int]string{
		5: "1 2 3 4 5", 6: "2 5 7 9 11", 7: "1 2 3 4", 9: "1 2 3 4", 11: "1 2 3 4", 23: "1 2 3 4 5 6 7",
	}
	for i := range 34 {
		valid[22] += fmt.Sprint(" ", i+1)
	}
	for i, group := range sequences() {
		var got []string
		for j, s := range group {
			if utf8.ValidString(s) {
				got = append(got, fmt.Sprint(j+1))
			}
		}
		if want := strings.Fields(valid[i+5]); !slices.Equal(got, want) {
			t.Errorf("6.%d: %q are valid, want %q", i+5, got, want)
		}
	}
	// The second character is U+1F79 and not its equivalent U+03CC, which has an octet less.
	if got, want := fmt.Sprintf("%x", greek), "cebae1bdb9cf83cebcceb5"; got != want {
		t.Errorf("Greek %s, want %s", got, want)
	}
}
