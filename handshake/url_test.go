package handshake

import (
	"strings"
	"testing"
)

func TestParseURLExplainsWithoutSecrets(t *testing.T) {
	for _, tt := range []struct{ name, url, shown, problem string }{
		{"a port that is none", "ws://user:pw@host:port/a", "ws://xxxxx@host:port/a", "port"},
		{"a slash in the password", "ws://user:p/w@host", "ws://xxxxx@host", "escape its /"},
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
