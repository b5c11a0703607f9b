package conn

import (
	"net/http"
	"net/url"
	"strings"
)

// withCookies returns h with the jar's cookies for u appended to those in h, in one field (RFC 6265 §5.4). A nil jar has none.
// It does not change h.
func withCookies(h http.Header, jar http.CookieJar, u *url.URL) http.Header {
	if jar == nil || u.Host == "" {
		return h
	}
	r := &http.Request{Header: make(http.Header)}
	for _, c := range jar.Cookies(httpURL(u)) {
		r.AddCookie(c) // it sanitizes the value
	}
	stored := r.Header.Get("Cookie")
	if stored == "" {
		return h
	}
	h, own := takeCookies(h)
	h["Cookie"] = []string{strings.Join(append(own, stored), "; ")}
	return h
}

// storeCookies gives the jar what a response sets.
func storeCookies(jar http.CookieJar, u *url.URL, resp *http.Response) {
	if jar == nil {
		return
	}
	if set := resp.Cookies(); len(set) > 0 {
		jar.SetCookies(httpURL(u), set)
	}
}

// withoutReplaced returns h without the cookies that a response sets anew: the jar has them now.
func withoutReplaced(h http.Header, resp *http.Response) http.Header {
	replaced := make(map[string]bool)
	for _, c := range resp.Cookies() {
		replaced[c.Name] = true
	}
	if len(replaced) == 0 {
		return h
	}
	h, own := takeCookies(h)
	var kept []string
	for pair := range strings.SplitSeq(strings.Join(own, ";"), ";") {
		pair = strings.TrimSpace(pair)
		if name, _, _ := strings.Cut(pair, "="); pair != "" && !replaced[name] {
			kept = append(kept, pair)
		}
	}
	if len(kept) > 0 {
		h["Cookie"] = []string{strings.Join(kept, "; ")}
	}
	return h
}

// takeCookies returns a copy of h without its Cookie fields, however they are spelt, and their values.
func takeCookies(h http.Header) (rest http.Header, values []string) {
	rest = make(http.Header, len(h)+1)
	for name, v := range h {
		if http.CanonicalHeaderKey(name) == "Cookie" {
			values = append(values, v...)
		} else {
			rest[name] = v
		}
	}
	return rest, values
}
