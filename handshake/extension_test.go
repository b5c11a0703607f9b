package handshake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExtensionVectors(t *testing.T) {
	for _, v := range readVectors(t, "extensions.txt", nil) {
		t.Run(strings.Join(v.lines, "|"), func(t *testing.T) {
			list, err := ParseExtensions(v.lines)
			if v.want == "error" {
				if e := asError(t, err); e.Status != 400 || e.Token != "bad_extensions" || list != nil {
					t.Errorf("got %v and %v, want no list and 400 bad_extensions", list, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := string(AppendExtensions(nil, list))
			if got != v.want {
				t.Errorf("got %q, want %q", got, v.want)
			}
			again, err := ParseExtensions([]string{got})
			if diff := cmp.Diff(list, again); diff != "" || err != nil {
				t.Errorf("parsed again (%v):\n%s", err, diff)
			}
		})
	}
}

func TestParseExtensionsKeepsEverything(t *testing.T) {
	got, err := ParseExtensions([]string{`permessage-deflate; server_max_window_bits="10"; client_max_window_bits`, "mux"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Extension{
		{Name: "permessage-deflate", Params: []Param{
			{Name: "server_max_window_bits", Value: "10", HasValue: true},
			{Name: "client_max_window_bits"},
		}},
		{Name: "mux"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoExtensionFieldIsNoExtension(t *testing.T) {
	if list, err := ParseExtensions(nil); list != nil || err != nil {
		t.Errorf("ParseExtensions(nil) = %v, %v; want nil, nil", list, err)
	}
}

func TestExtensionsAreCounted(t *testing.T) {
	names := func(n int) string { return strings.TrimSuffix(strings.Repeat("x,", n), ",") }
	tests := []struct {
		name  string
		lines []string
		ok    bool
	}{
		{"as many extensions as allowed", []string{names(maxExtensions)}, true},
		{"one more", []string{names(maxExtensions + 1)}, false},
		{"one more, in another line", []string{names(maxExtensions), "x"}, false},
		{"as many parameters as allowed", []string{"x" + strings.Repeat(";p", maxParams)}, true},
		{"one parameter more", []string{"x" + strings.Repeat(";p", maxParams+1)}, false},
		{"as many parameters for each", []string{"x" + strings.Repeat(";p", maxParams), "y" + strings.Repeat(";p=1", maxParams)}, true},
	}
	for _, tt := range tests {
		if _, err := ParseExtensions(tt.lines); (err == nil) != tt.ok {
			t.Errorf("%s: error %v, want ok = %v", tt.name, err, tt.ok)
		}
	}
}

// ws CVE-2021-32640 and websocket-extensions CVE-2020-7662 took quadratic time
// for blanks and for quotes that do not close.
func TestUnclosedQuotesAndLongBlanksTakeLinearTime(t *testing.T) {
	for name, parts := range map[string][3]string{
		"unclosed quote":            {`x; a="`, "a", ""},
		"unclosed quote of blanks":  {`x; a="`, " ", ""},
		"escapes without end":       {`x; a="`, `\\`, ""},
		"quotes":                    {"x; a=", `"`, ""},
		"blanks before an element":  {"", " ", "x"},
		"blanks after an element":   {"x", " ", ""},
		"blanks and then a mistake": {"x", " \t", "x"},
		"blanks around equals":      {"x; a", " ", "= b"},
		"empty elements":            {"x", ",", ""},
		"empty elements and blanks": {"x", ", ", ""},
		"semicolons":                {"x", ";", ""},
		"a long name":               {"", "x", ""},
		"a long value":              {"x; a=", "b", "; c"},
		"more than is counted":      {"x", "; a=b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			expectLinear(t, 5_000, func(n int) func() {
				line := []string{parts[0] + strings.Repeat(parts[1], n) + parts[2]}
				return func() { ParseExtensions(line) }
			})
		})
	}
}

func BenchmarkParseExtensions(b *testing.B) {
	header := []string{"permessage-deflate; client_max_window_bits"} // Chrome's offer
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseExtensions(header); err != nil {
			b.Fatal(err)
		}
	}
}
