package handshake

import (
	"strings"
	"testing"
)

func TestParseURLExplainsWithoutSecrets(t *testing.T) {
	for _, tt := range []struct{ name, url, shown, problem string }{
		{"a port that is none", "ws://user:pw@host:port/a", "ws://xxxxx@host:port/a", "port"},
		{"a slash in the password", "ws://user:p/w@host", "ws://xxxxx@host", "escape its /"},
		{"an escape in the host", "wss://user:pw@%62ar.com/", "wss://xxxxx@%62ar.com/", "cannot be escaped"},
		{"a bad escape", "wss://user:pw@host/%zz?q", "wss://xxxxx@host/%zz", "two hexadecimal digits"},
		{"a space in the host", "ws://a b/", "ws://a b/", "character in its host"},
		{"a space in the user", "ws://a b@host/", "ws://xxxxx@host/", "user or password"},
		{"a control character", "ws://host/\x7f", "ws://host/\x7f", "control character"},
		{"no scheme", "://host", "://host", "no scheme"},
		{"a user in place of a scheme", ":pw@host", "xxxxx@host", "no scheme"},
		{"a colon before any slash", "1:2/x", "1:2/x", "no scheme"},
		{"an @ before ://", "a@b://[host", "[host", "no scheme"},
		{"a bracket that is not closed", "ws://[::1/", "ws://[::1/", "malformed"},
		{"an @ in the query", "ws://[host?a@b", "ws://xxxxx@b", "malformed"},
		{"no scheme, but a user", "://user:pw@host", "://xxxxx@host", "no scheme"},
		{"an empty user", "ws://@host:port", "ws://xxxxx@host:port", "port"},
		{"nothing but a query", "ws://?token\x7f", "ws://", "control character"},
		{"a query", "ws://[host?token", "ws://[host", "malformed"},
		{"a fragment", "ws://[host#token", "ws://[host", "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := ParseURL(tt.url)
			e := asError(t, err)
			if u != nil || e.Token != "bad_url" || e.Status != 0 || e.Err != nil {
				t.Errorf("%v, %+v", u, e)
			}
			shown := quote(tt.shown)
			if !strings.HasPrefix(e.Reason, "the URL "+shown+" ") || !strings.Contains(e.Reason, tt.problem) {
				t.Errorf("%s, want %s and %q", e.Reason, shown, tt.problem)
			}
		})
	}
	if u, err := ParseURL("ws://user:pw@host/?q"); err != nil || u.Host != "host" || u.User.String() != "user:pw" {
		t.Errorf("%v, %v", u, err)
	}
}

// TestHostsInOtherScriptsBecomeASCII as in browsers; internal/hostname has the table.
func TestHostsInOtherScriptsBecomeASCII(t *testing.T) {
	for raw, want := range map[string]string{
		"wss://B\u00fccher.example:8443/\u00fc?q": "wss://xn--bcher-kva.example:8443/%C3%BC?q",
		"wss://b%C3%BCcher.example":               "wss://xn--bcher-kva.example",
		"wss://fa\u00df.de":                       "wss://xn--fa-hia.de",
		"wss://EXAMPLE.com":                       "wss://example.com",
		"wss://a_b.example":                       "wss://a_b.example",
		"wss://[fe80::1%25Eth0]:1":                "wss://[fe80::1%25Eth0]:1",
	} {
		u, err := ParseURL(raw)
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", raw, u, err)
			continue
		}
		if _, err := NewRequest(u, nil); err != nil {
			t.Error(err)
		}
	}
	for _, raw := range []string{"wss://user:secret@a\uff0fb.example/?token", "wss://xn--wca.example", "wss://a\u2028.example"} {
		u, err := ParseURL(raw)
		if e := asError(t, err); u != nil || e.Token != "bad_url" || !strings.Contains(e.Reason, "international domain name") ||
			strings.Contains(e.Error(), "secret") || strings.Contains(e.Error(), "token") {
			t.Errorf("%q: %v, %v", raw, u, err)
		}
	}
}
