package handshake

import (
	"net/http"
	"strings"
)

// origin is an Origin field taken apart (RFC 6454 §6.2), in lower case.
type origin struct{ scheme, host, port string }

// parseOrigin takes a serialized origin apart. There is no path, no userinfo and
// no second origin in one, so that nothing can be read in two ways. "null", which
// a sandboxed frame sends, and "file://" are not origins that could be equal to anything.
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

// defaultPort returns "" for a scheme whose default port is not known here.
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
		p, problem := parsePattern(text)
		if problem == "" && p.admits(values[0], from, ok) {
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
type pattern struct {
	scheme, host, port string
	exact              string // "null" or "file://", which have no host; then nothing else is set
}

// parsePattern takes [scheme "://"] host [":" port] ["/"] apart, or says what is wrong and
// what to do about it.
func parsePattern(s string) (p pattern, problem string) {
	text := s
	if strings.HasSuffix(s, "/") && !strings.HasSuffix(s, "//") {
		text = s[:len(s)-1] // copied from a browser's address bar
	}
	if text == "null" {
		return pattern{exact: text}, ""
	}
	if equalFoldASCII(s, "file://") || equalFoldASCII(s, "file:///") {
		return pattern{exact: "file://"}, ""
	}
	if scheme, rest, found := strings.Cut(text, "://"); found {
		if !isScheme(scheme) {
			return pattern{}, "its scheme is not a scheme; leave it and :// out to match http and https"
		}
		p.scheme, text = strings.ToLower(scheme), rest
		if p.scheme == "ws" || p.scheme == "wss" {
			return pattern{}, "an origin is where the page comes from: write http or https, or leave the scheme and :// out"
		}
	}
	rest, anyPort := strings.CutSuffix(text, ":*")
	host, port, ok := splitHost(rest)
	switch {
	case ok && strings.Trim(host, "*.") == "" && strings.Contains(host, "*"):
		return pattern{}, "it would admit pages of all sites; set AllowAnyOrigin if that is meant, and see what it says about cookies"
	case strings.ContainsAny(text, "/?#"):
		return pattern{}, "an origin ends with its host and port: leave out the path"
	case strings.Contains(text, "@"):
		return pattern{}, "an origin has no user: leave out what stands before the @"
	case !isASCII(text):
		return pattern{}, "browsers send international names in Punycode (xn--…): write it so"
	case !ok || anyPort && port != "" || strings.HasSuffix(text, ":"):
		return pattern{}, "it is not [scheme://]host[:port], where the port is a number or *"
	}
	if p.host, p.port = strings.ToLower(host), port; anyPort {
		p.port = "*"
	}
	for label := range strings.SplitSeq(p.host, ".") {
		if strings.Count(label, "*") > 1 {
			return pattern{}, "a label of its host has more than one *"
		}
	}
	return p, ""
}

// admits reports whether the pattern lets an Origin field in; o is what parseOrigin made of
// it, if ok.
func (p pattern) admits(field string, o origin, ok bool) bool {
	if p.exact != "" {
		return field == p.exact
	}
	return ok && p.matches(o)
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
