package handshake

import (
	"net/http"
	"strings"
)

// origin is an Origin field taken apart (RFC 6454 §6.2), in lower case.
type origin struct{ scheme, host, port string }

// parseOrigin takes a serialized origin apart. There is no path, no userinfo and
// no second origin in one, so that nothing can be read in two ways. "null", which
// a sandboxed frame sends, is not an origin that could be equal to anything.
func parseOrigin(s string) (o origin, ok bool) {
	scheme, rest, found := strings.Cut(s, "://")
	host, port, valid := splitHost(rest)
	if !found || !valid || !isScheme(scheme) {
		return origin{}, false
	}
	o = origin{strings.ToLower(scheme), strings.ToLower(host), port}
	if o.port == "" {
		o.port = defaultPort(o.scheme)
	}
	return o, true
}

// isScheme reports whether s is a URI scheme (RFC 3986 §3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		c := lower(s[i])
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

// defaultPort returns "" for a scheme whose default port nobody knows here.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// checkOrigin decides about the Origin field (RFC 6455 §4.2.2 item 4, §10.2). A
// request without one does not come from a browser, so no cookie or network
// position of a deceived user is behind it, and it may pass.
func checkOrigin(r *http.Request, o *ServerOptions) *Error {
	values := r.Header["Origin"]
	if len(values) > 1 {
		return &Error{Status: http.StatusBadRequest, Token: tokenBadOrigin,
			Reason: "there are several Origin fields, at most one is allowed"}
	}
	if o.AllowAnyOrigin || len(values) == 0 {
		return nil
	}
	from, ok := parseOrigin(values[0])
	if ok && from.sameAs(r) {
		return nil
	}
	for _, text := range o.OriginPatterns {
		p, valid := parsePattern(text)
		if !valid {
			return serverBug("the origin pattern " + quote(text) + " is not [scheme://]host[:port]")
		}
		if ok && p.matches(from) {
			return nil
		}
	}
	return &Error{Status: http.StatusForbidden, Token: tokenOrigin,
		Reason: "the origin " + quote(values[0]) + " may not connect to " + quote(r.Host)}
}

// sameAs reports whether the page at o came from the server that r is for: host
// and port are equal, default ports being filled in. Over TLS o must be https.
// Without TLS it may be either, because a proxy may have ended the TLS; then the
// default port of Host is that of o's scheme.
func (o origin) sameAs(r *http.Request) bool {
	if o.scheme != "https" && (o.scheme != "http" || r.TLS != nil) {
		return false
	}
	host, port, ok := splitHost(r.Host)
	if port == "" {
		port = defaultPort(o.scheme)
	}
	return ok && equalFoldASCII(o.host, host) && o.port == port
}

// pattern is an element of ServerOptions.OriginPatterns. Scheme "" stands for
// http and https; port "" for the scheme's default, "*" for any.
type pattern struct{ scheme, host, port string }

// parsePattern takes [scheme "://"] host [":" port] apart.
func parsePattern(s string) (p pattern, ok bool) {
	if scheme, rest, found := strings.Cut(s, "://"); found {
		if !isScheme(scheme) {
			return pattern{}, false
		}
		p.scheme, s = strings.ToLower(scheme), rest
	}
	s, anyPort := strings.CutSuffix(s, ":*")
	p.host, p.port, ok = splitHost(s)
	if !ok || anyPort && p.port != "" {
		return pattern{}, false
	}
	if anyPort {
		p.port = "*"
	}
	p.host = strings.ToLower(p.host)
	for label := range strings.SplitSeq(p.host, ".") {
		if strings.Count(label, "*") > 1 {
			return pattern{}, false
		}
	}
	return p, true
}

func (p pattern) matches(o origin) bool {
	if p.scheme != o.scheme && (p.scheme != "" || o.scheme != "http" && o.scheme != "https") {
		return false
	}
	if p.port == "" {
		p.port = defaultPort(o.scheme)
	}
	return (p.port == "*" || p.port == o.port) && matchHost(p.host, o.host)
}

// matchHost compares label by label, so that "*" never reaches across a dot.
func matchHost(pattern, host string) bool {
	for {
		p, restP, moreP := strings.Cut(pattern, ".")
		h, restH, moreH := strings.Cut(host, ".")
		if moreP != moreH || !matchLabel(p, h) {
			return false
		}
		if !moreP {
			return true
		}
		pattern, host = restP, restH
	}
}

// matchLabel matches "*" with one character or more. An address in brackets has
// no labels: nothing but itself matches it.
func matchLabel(pattern, label string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star || strings.HasPrefix(label, "[") {
		return pattern == label
	}
	return len(label) > len(before)+len(after) &&
		strings.HasPrefix(label, before) && strings.HasSuffix(label, after)
}
