package track

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// Other replaces a code or a token that is not shown.
const Other = "other"

// registered are the codes of RFC 6455 and of IANA's registry of close codes.
var registered = map[conn.StatusCode]bool{
	1000: true, 1001: true, 1002: true, 1003: true, 1005: true, 1006: true, 1007: true, 1008: true, 1009: true, 1010: true, 1011: true,
	1012: true, 1013: true, 1014: true, 1015: true, 3000: true, 3003: true, 3008: true,
}

// Codes are the application's close codes that are shown besides the registered ones. All others are Other, since a peer may send
// any of 3000 to 4999.
type Codes map[conn.StatusCode]bool

// NewCodes returns the set of codes.
func NewCodes(codes []conn.StatusCode) Codes {
	set := Codes{}
	for _, c := range codes {
		set[c] = true
	}
	return set
}

// Name returns the code in decimal, or Other.
func (s Codes) Name(c conn.StatusCode) string {
	if registered[c] || s[c] {
		return strconv.Itoa(int(c))
	}
	return Other
}

// maxTokens is the most tokens that are shown. The library has some sixty; a program's Check may return its own.
const maxTokens = 128

// Tokens is the set of tokens seen so far. The zero value is empty. Name may be called by any number of goroutines.
type Tokens struct {
	mu   sync.Mutex
	seen map[string]bool
}

// Name returns the token if it consists of lower case letters, digits and underscores and is among the first 128, else Other. An
// empty token is "unnamed".
func (t *Tokens) Name(token string) string {
	if token == "" {
		return "unnamed"
	}
	if len(token) > MaxToken || strings.ContainsFunc(token, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		return Other
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.seen[token] {
		if len(t.seen) >= maxTokens {
			return Other
		}
		if t.seen == nil {
			t.seen = map[string]bool{}
		}
		t.seen[strings.Clone(token)] = true
	}
	return token
}

// MaxText and MaxToken are the most bytes that observers show of a text that a peer may have chosen, and of a token.
const (
	MaxText  = 256
	MaxToken = 64
)

// Clean returns s in a form that is safe in logs, terminals and labels: UTF-8 of at most limit bytes, followed by … if it was cut,
// with characters that are not printable (line breaks, escape sequences, marks that reverse text) escaped as in Go.
func Clean(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		piece := string(r)
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			piece = strconv.QuoteRuneToASCII(r)
			piece = piece[1 : len(piece)-1]
		}
		if b.Len()+len(piece) > limit {
			b.WriteString("…")
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// Address returns the address as text, "" for nil. Of a URL, which is the address in a browser, it returns scheme and host only,
// since the query may hold credentials.
func Address(a net.Addr) string {
	if a == nil {
		return ""
	}
	s := a.String()
	if strings.Contains(s, "://") {
		u, err := url.Parse(s)
		if err != nil {
			return ""
		}
		s = u.Scheme + "://" + u.Host
	}
	return Clean(s, MaxText)
}
