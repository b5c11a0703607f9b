package handshake

import (
	"errors"
	"net/url"
	"strings"

	"github.com/seed-c4549abd/wss/internal/hostname"
)

// ParseURL is url.Parse with two differences. The host becomes ASCII and lower case, as in
// browsers: wss://Bücher.example is wss://xn--bcher-kva.example (UTS #46, not transitional).
// And the text of the error, an *Error with the token "bad_url" and without a status, names
// neither user nor password nor query, which that of a *url.Error does. Whether it is the
// URL of a WebSocket is for NewRequest to say. Safe for concurrent use.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	problem := ""
	if err != nil {
		problem = parseProblem(err)
	} else if u.Host, err = hostname.ToASCII(u.Host); err != nil {
		problem = "has a host that is not a valid international domain name (UTS #46)"
	}
	if problem != "" {
		return nil, &Error{Token: tokenBadURL, Reason: "the URL " + quote(withoutSecrets(raw)) + " " + problem}
	}
	return u, nil
}

// parseProblem explains an error of url.Parse, whose own text may quote a password: a "/"
// in one makes it a part of the port.
func parseProblem(err error) string {
	if e, ok := errors.AsType[url.EscapeError](err); ok {
		if len(e) == 3 && isHex(e[1]) && isHex(e[2]) {
			return "has a % in its host, which cannot be escaped"
		}
		return "has a % that is not followed by two hexadecimal digits"
	}
	if _, ok := errors.AsType[url.InvalidHostError](err); ok {
		return "has a character in its host that must not be there"
	}
	text := err.Error()
	for _, known := range []struct{ text, problem string }{
		{"invalid userinfo", "has a character in its user or password that must be escaped"},
		{"invalid port", "has a port that is not a number; if that is a part of the password, escape its /, ? and #"},
		{"invalid control character", "has a control character"},
		{"missing protocol scheme", "has no scheme, ws or wss"},
		{"first path segment", "has no scheme, ws or wss"},
	} {
		if strings.Contains(text, known.text) {
			return known.problem
		}
	}
	return "is malformed"
}

func isHex(b byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", b) >= 0 }

// withoutSecrets replaces what may be user and password, up to the last "@", and
// removes query and fragment. It works on text that is no URL.
func withoutSecrets(raw string) string {
	scheme := ""
	if i := strings.Index(raw, "://"); i >= 0 {
		scheme, raw = raw[:i+3], raw[i+3:]
	}
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		raw = "xxxxx" + raw[i:] // as url.URL.Redacted has it
	}
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	if strings.Contains(scheme, "@") {
		scheme = "" // the "://" belongs to something else
	}
	return scheme + raw
}
