package handshake

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSubprotocols(t *testing.T) {
	many := make([]string, maxSubprotocols+1)
	for i := range many {
		many[i] = "p" + strconv.Itoa(i)
	}
	tests := []struct {
		name   string
		header []string
		want   []string
		ok     bool
	}{
		{"no field", nil, nil, true},
		{"one", []string{"chat"}, []string{"chat"}, true},
		{"a list in order", []string{"b, a ,\tc"}, []string{"b", "a", "c"}, true},
		{"several fields", []string{"b", "a,c"}, []string{"b", "a", "c"}, true},
		{"they differ by case", []string{"chat, Chat"}, []string{"chat", "Chat"}, true},
		{"all that a token may hold", []string{"!#$%&'*+-.^_`|~09azAZ"}, []string{"!#$%&'*+-.^_`|~09azAZ"}, true},
		{"as many as allowed", []string{strings.Join(many[:maxSubprotocols], ",")}, many[:maxSubprotocols], true},
		{"one too many", []string{strings.Join(many, ",")}, nil, false},
		{"an empty field", []string{""}, nil, true},
		{"an empty field among others", []string{"a", "", "b"}, []string{"a", "b"}, true},
		{"an empty element at the end", []string{"a,"}, []string{"a"}, true},
		{"an empty element within", []string{"a,, \t,b"}, []string{"a", "b"}, true},
		{"nothing but empty elements", []string{" ,\t,", ","}, nil, true},
		{"twice", []string{"a,b,a"}, nil, false},
		{"a blank within", []string{"a b"}, nil, false},
		{"quoted", []string{`"a"`}, nil, false},
		{"a slash", []string{"a/b"}, nil, false},
		{"not ASCII", []string{"ä"}, nil, false},
		{"a control character", []string{"a\x00"}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseSubprotocols(tt.header)
			if (err == nil) != tt.ok {
				t.Fatalf("error %v, want ok = %v", err, tt.ok)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil && (err.Status != 400 || err.Token != "bad_subprotocol") {
				t.Errorf("refused with %v, want 400 bad_subprotocol", err)
			}
		})
	}
}

func TestLongSubprotocolFieldsTakeLinearTime(t *testing.T) {
	for name, unit := range map[string]string{"blanks": " ", "commas": ",", "names": "a,", "one name": "a"} {
		t.Run(name, func(t *testing.T) {
			expectLinear(t, 5_000, func(n int) func() {
				header := []string{"x" + strings.Repeat(unit, n)}
				return func() { parseSubprotocols(header) }
			})
		})
	}
}
