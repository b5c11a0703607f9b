package handshake

import (
	"slices"
	"strings"
	"testing"
)

func TestTokenFieldValueAndTargetByByte(t *testing.T) {
	const separators = "()<>@,;:\\\"/[]?={} \t" // RFC 7230 §3.2.6
	for c := range 256 {
		s := string([]byte{byte(c)})
		visible := c > ' ' && c < 0x7f
		separator := slices.Contains([]byte(separators), byte(c))
		if got, want := isToken(s), visible && !separator; got != want {
			t.Errorf("isToken(%q) = %v, want %v", s, got, want)
		}
		if got, want := isFieldValue(s), visible || c == ' ' || c == '\t' || c >= 0x80; got != want {
			t.Errorf("isFieldValue(%q) = %v, want %v", s, got, want)
		}
		if got, want := isASCII("a"+s), c < 0x80; got != want {
			t.Errorf("isASCII(%q) = %v, want %v", "a"+s, got, want)
		}
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' // RFC 3986 §3.1
		if got := isScheme(s); got != letter {
			t.Errorf("isScheme(%q) = %v, want %v", s, got, letter)
		}
		if got, want := isScheme("a"+s), letter || '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'; got != want {
			t.Errorf("isScheme(%q) = %v, want %v", "a"+s, got, want)
		}
		neverSent := slices.Contains([]byte("#\"<>"), byte(c)) // unescaped, by anybody
		inQueriesOnly := slices.Contains([]byte("`{}^\\"), byte(c))
		if got, want := isTarget(s), visible && !neverSent && !inQueriesOnly; got != want {
			t.Errorf("isTarget(%q) = %v, want %v", s, got, want)
		}
		if got, want := isTarget("/?"+s), visible && !neverSent; got != want {
			t.Errorf("isTarget(%q) = %v, want %v", "/?"+s, got, want)
		}
	}
	if isToken("") || isTarget("") || isScheme("") || isPort("") || !isFieldValue("") || !isASCII("") {
		t.Error("empty: a token, a target, a scheme or a port must not be, a field value may")
	}
}

func TestHasToken(t *testing.T) {
	tests := []struct {
		lines []string
		want  bool
	}{
		{[]string{"Upgrade"}, true},
		{[]string{"keep-alive, UPGRADE"}, true},
		{[]string{"keep-alive", "\tupgrade "}, true},
		{[]string{",,upgrade,,"}, true},
		{[]string{""}, false},
		{nil, false},
		{[]string{"keep-alive upgrade"}, false},
		{[]string{"upgrade;q=1"}, false},
		{[]string{`"upgrade"`}, false},
		{[]string{"up", "grade"}, false},
		{[]string{"upgraded", "xupgrade"}, false},
	}
	for _, tt := range tests {
		if got := hasToken(tt.lines, "upgrade"); got != tt.want {
			t.Errorf("hasToken(%q) = %v, want %v", tt.lines, got, tt.want)
		}
	}
}

func TestEqualFoldIsASCIIOnly(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			x, y := string([]byte{byte(a)}), string([]byte{byte(b)})
			want := a == b || a < 128 && b < 128 && strings.EqualFold(x, y)
			if got := equalFoldASCII("-"+x, "-"+y); got != want {
				t.Errorf("equalFoldASCII(%q, %q) = %v", x, y, got)
			}
		}
	}
	if equalFoldASCII("a", "aa") || equalFoldASCII("k", "\u212a") {
		t.Error("of another length, or the Kelvin sign")
	}
}

func TestSplitHost(t *testing.T) {
	tests := []struct {
		in, host, port string
		ok             bool
	}{
		{"example.com", "example.com", "", true},
		{"example.com:80", "example.com", "80", true},
		{"example.com:", "example.com", "", true},
		{"example.com:0", "example.com", "0", true},
		{"example.com:65535", "example.com", "65535", true},
		{"127.0.0.1:1", "127.0.0.1", "1", true},
		{"[::1]", "[::1]", "", true},
		{"[::1]:443", "[::1]", "443", true},
		{"a_b", "a_b", "", true},
		{"a%2Fb", "a%2Fb", "", true},
		{"a%2", "", "", false},
		{"a%", "", "", false},
		{"%zz", "", "", false},
		{"a%2g", "", "", false},
		{"[2001:db8::1]", "[2001:db8::1]", "", true},
		{"[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]", "80", true},
		{"[v1F.a:b]", "[v1F.a:b]", "", true},
		{"[V1.a]", "[V1.a]", "", true},
		{"[v1.]", "", "", false},
		{"[v.a]", "", "", false},
		{"[vg.a]", "", "", false},
		{"[v1a]", "", "", false},
		{"[v1.a%41]", "", "", false},
		{"[x]", "", "", false},
		{"[192.0.2.1]", "", "", false},
		{"[fe80::1%eth0]", "", "", false},
		{"[fe80::1%25eth0]", "", "", false},
		{"[1:2:3:4:5:6:7:8:9]", "", "", false},
		{"", "", "", false},
		{":80", "", "80", false},
		{"example.com:65536", "", "", false},
		{"example.com:000080", "", "", false},
		{"example.com:-1", "", "", false},
		{"example.com:8a", "", "", false},
		{"example.com:80:80", "", "", false},
		{"::1", "", "", false},
		{"[::1", "", "", false},
		{"[]", "", "", false},
		{"[::1]x", "", "", false},
		{"[::1]x:80", "", "", false},
		{"[a]b]", "", "", false},
		{"a]", "", "", false},
		{"a/b", "", "", false},
		{"a@b", "", "", false},
		{"a b", "", "", false},
		{"ä", "", "", false},
	}
	for _, tt := range tests {
		host, port, ok := splitHost(tt.in)
		if ok != tt.ok || ok && (host != tt.host || port != tt.port) {
			t.Errorf("splitHost(%q) = %q, %q, %v; want %q, %q, %v", tt.in, host, port, ok, tt.host, tt.port, tt.ok)
		}
	}
}

func TestElementsCanBeLeftEarly(t *testing.T) {
	var got []string
	for e := range elements([]string{"a, b", "c"}) {
		if got = append(got, e); e == "b" {
			break
		}
	}
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}
