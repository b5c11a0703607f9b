package conn

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seed-c4549abd/wss/handshake"
)

// The tokens of redirects that are not followed although MaxRedirects is positive.
const (
	tokenBadRedirect      = "bad_redirect"
	tokenTooManyRedirects = "too_many_redirects"
)

// crossOriginHeaders are the fields of DialOptions.Header that another origin may see. Any other may be a credential.
var crossOriginHeaders = map[string]bool{"User-Agent": true, "Accept-Language": true, "Origin": true}

// follow decides about a refusal that may be a redirect (RFC 9110 §15.4). It reports whether to follow it, to a.next; else it
// says in e why not.
func (a *attempt) follow(resp *http.Response, e *HandshakeError) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		if resp.StatusCode/100 == 3 && a.o.MaxRedirects > 0 {
			e.Reason = "the server answered " + strconv.Itoa(resp.StatusCode) + ", which is not a redirect that is followed (301, 302, 303, 307, 308)"
		}
		return false
	}
	switch {
	case a.o.MaxRedirects <= 0 || a.existing:
		return false
	case a.redirects >= a.o.MaxRedirects:
		e.Token = tokenTooManyRedirects
		e.Reason = "the server redirects once more after " + strconv.Itoa(a.redirects) + " redirects, the most that MaxRedirects allows"
		return false
	}
	next, problem := a.redirected(resp)
	if problem != "" {
		e.Token, e.Reason = tokenBadRedirect, "the server redirects "+problem
		return false
	}
	a.next = next
	return true
}

// redirected returns the attempt that a redirect leads to, or what is wrong with it.
func (a *attempt) redirected(resp *http.Response) (next *attempt, problem string) {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, "without a Location"
	}
	ref, err := url.Parse(location)
	if err != nil {
		return nil, "to a Location that is not a URL" // whose text the error would quote
	}
	to := a.u.ResolveReference(ref)
	switch to.Scheme {
	case "ws", "wss":
	case "http":
		to.Scheme = "ws"
	case "https":
		to.Scheme = "wss"
	default:
		return nil, "to another scheme than ws, wss, http or https"
	}
	if secureScheme(a.u) && !secureScheme(to) {
		return nil, "from wss to ws, which is never followed"
	}
	to.User, to.Fragment, to.RawFragment = nil, "", ""
	if to, err = handshake.ParseURL(to.String()); err != nil {
		return nil, cannotDial(err)
	}
	next = &attempt{o: a.o, u: to, header: a.header, redirects: a.redirects + 1, crossOrigin: a.crossOrigin}
	if a.o.Jar != nil {
		next.header = withoutReplaced(next.header, resp)
	}
	if sameOrigin(a.u, to) {
		to.User = a.u.User
	} else {
		next.crossOrigin, next.header = true, withoutCredentials(next.header)
	}
	if err := next.prepare(); err != nil {
		return nil, cannotDial(err)
	}
	return next, ""
}

// cannotDial says what is wrong with a URL that a server redirects to.
func cannotDial(err error) string {
	problem := "to a URL that cannot be dialed"
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		problem += ": " + e.Reason
	}
	return problem
}

// withoutCredentials returns the fields of h that another origin may see.
func withoutCredentials(h http.Header) http.Header {
	kept := make(http.Header)
	for name, values := range h {
		if crossOriginHeaders[http.CanonicalHeaderKey(name)] {
			kept[name] = values
		}
	}
	return kept
}

// sameOrigin reports whether two WebSocket URLs, as ParseURL returns them, have scheme, host and port in common (RFC 6454 §4).
func sameOrigin(a, b *url.URL) bool {
	return secureScheme(a) == secureScheme(b) && address(a) == address(b)
}
