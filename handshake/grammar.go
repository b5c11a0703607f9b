package handshake

import (
	"iter"
	"net/netip"
	"strings"
)

// tokenBytes marks tchar of RFC 7230 §3.2.6.
var tokenBytes = byteSet("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

// regNameBytes marks what a registered name may hold besides percent-escapes, and
// hexBytes what makes those (RFC 3986 §3.2.2, §2.1).
var (
	regNameBytes = byteSet("-._~!$&'()*+,;=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	hexBytes     = byteSet("0123456789abcdefABCDEF")
)

// pathBytes and queryBytes mark what those parts of a request-target may hold: what RFC
// 3986 §3.3 and §3.4 allow, percent-escapes, and what browsers send there without
// escaping it (the path and query percent-encode sets of the URL standard).
var (
	pathBytes  = byteSet("-._~!$&'()*+,;=:@/%[]|0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	queryBytes = byteSet("-._~!$&'()*+,;=:@/%[]|?`{}^\\0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
)

func byteSet(members string) (set [256]bool) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}

// isToken reports whether s is a token of RFC 7230 §3.2.6: not empty, no
// separators, no control characters, no spaces, ASCII only.
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

// isFieldValue reports whether s may stand in a header field's value: visible
// characters, spaces, tabs and obs-text (RFC 7230 §3.2). CR, LF and NUL are what
// matters: with them a value could end its field and begin another.
func isFieldValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isTarget reports whether s consists of what a request-target can hold: no
// spaces, no control characters, no quotation marks and angle brackets, ASCII only, no
// fragment (RFC 7230 §5.3).
func isTarget[T string | []byte](s T) bool {
	set := &pathBytes
	for i := range len(s) {
		if s[i] == '?' {
			set = &queryBytes
		}
		if !set[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

// trimOWS removes optional white space around s (RFC 7230 §3.2.3).
func trimOWS(s string) string { return strings.Trim(s, " \t") }

// elements yields the elements of a comma-separated list that may be spread over
// several header lines (RFC 7230 §3.2.2, §7), trimmed. Empty elements, which a recipient
// must ignore, are yielded too.
func elements(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range lines {
			for element := range strings.SplitSeq(line, ",") {
				if !yield(trimOWS(element)) {
					return
				}
			}
		}
	}
}

// hasToken reports whether a list holds token, compared as ASCII without regard
// to case, as Connection and Upgrade are (RFC 6455 §4.2.1).
func hasToken(lines []string, token string) bool {
	for element := range elements(lines) {
		if equalFoldASCII(element, token) {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// equalFoldASCII is strings.EqualFold without Unicode: there the Kelvin sign
// equals k, and "websocKet" written with it would pass for a token.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// splitHost splits host[:port] as it stands in a Host header, an origin or a
// URL (RFC 7230 §5.4, RFC 3986 §3.2). An IPv6 address keeps its brackets. The
// port is empty, also after a colon, or a number; ok is false for anything else.
func splitHost(s string) (host, port string, ok bool) {
	host = s
	if i := strings.LastIndexByte(s, ':'); i != -1 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		if port != "" && !isPort(port) {
			return "", "", false
		}
	}
	return host, port, isHost(host)
}

// isPort reports whether s is a decimal port from 0 to 65535.
func isPort(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int(s[i]-'0')
		if n > 65535 {
			return false
		}
	}
	return s != "" && len(s) <= 5
}

// isHost reports whether s is a registered name, an IPv4 address, or an IP
// literal in brackets (RFC 3986 §3.2.2).
func isHost(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && isIPLiteral(inner)
	}
	for i := 0; i < len(s); i++ {
		switch {
		case regNameBytes[s[i]]:
		case s[i] == '%' && i+2 < len(s) && hexBytes[s[i+1]] && hexBytes[s[i+2]]:
			i += 2
		default:
			return false
		}
	}
	return s != ""
}

// isIPLiteral reports whether s is an IPv6 address without a zone, which means something
// to its own host only, or an IPvFuture.
func isIPLiteral(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Is6() && addr.Zone() == ""
	}
	if s == "" || lower(s[0]) != 'v' {
		return false
	}
	version, rest, ok := strings.Cut(s[1:], ".")
	for i := range len(version) {
		ok = ok && hexBytes[version[i]]
	}
	for i := range len(rest) {
		ok = ok && (rest[i] == ':' || regNameBytes[rest[i]])
	}
	return ok && version != "" && rest != ""
}
