package handshake

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
)

// RequestReader reads the head of a client's opening handshake from bytes as
// they arrive (RFC 6455 §4.2.1, RFC 7230 §3): at most Limits of them, in linear
// time however they are cut up. The zero value is ready, with default limits.
//
// It refuses what is not strictly HTTP/1.1, or could be understood differently
// by a proxy: bare LF, folded lines, a space before a colon, control characters,
// a missing or second Host, a body. It ignores one empty line before the request line
// (RFC 9112 §2.2), reads HTTP/1.2 and later as HTTP/1.1 (RFC 9110 §2.5), and takes an
// empty Host, which a client sends that knows no name for the server: over a unix
// socket, for example (RFC 9112 §3.2). Whether the request is a good opening handshake
// is for Accept to say.
//
// A RequestReader is for one request and one goroutine at a time.
type RequestReader struct {
	head    head
	begun   *http.Request // after the request line
	request *http.Request // after the blank line
}

// NewRequestReader returns a reader with the given limits.
func NewRequestReader(l Limits) *RequestReader {
	return &RequestReader{head: head{limits: l}}
}

// Feed consumes bytes of the request's head. It returns how many it took, and
// done when the head is complete: the first n bytes of b end with the blank
// line, and those that follow belong to the connection, not to the head.
//
// The error is nil or an *Error that can be sent as the refusal: 400, 405, 414,
// 426 or 431. It stays: a reader that has failed or is done takes no more bytes.
// Feed does not keep b.
func (p *RequestReader) Feed(b []byte) (n int, done bool, err error) {
	p.head.limits = p.head.limits.orDefaults()
	n, refusal := p.head.feed(b, p.start, p.finish)
	if refusal != nil {
		return n, false, refusal
	}
	return n, p.head.done, nil
}

// Request returns the request when Feed has reported done, and nil before. As
// from net/http, header names are in canonical form and repeated fields are
// kept in order; Host is in the field Host and not in Header; Body is
// http.NoBody. RemoteAddr and TLS are for the caller to fill in. Every call
// returns the same request.
func (p *RequestReader) Request() *http.Request { return p.request }

// start parses the request line (RFC 7230 §3.1.1).
func (p *RequestReader) start(line []byte) *Error {
	method, rest, ok1 := bytes.Cut(line, []byte{' '})
	target, proto, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok1 || !ok2 || !isToken(method) || !isTarget(target) || !isHTTPVersion(proto) {
		return &Error{Status: http.StatusBadRequest, Token: tokenBadRequestLine,
			Reason: "the request line is not \"GET /path HTTP/1.1\" but " + quote(string(line))}
	}
	minor := int(proto[len(proto)-1] - '0')
	if proto[len("HTTP/")] != '1' || minor < 1 {
		return refuseVersion(string(proto))
	}
	if string(method) != http.MethodGet {
		return refuseMethod(string(method))
	}
	u, err := url.ParseRequestURI(string(target))
	if err != nil || !isPathOrHTTP(string(target), u) {
		return &Error{Status: http.StatusBadRequest, Token: tokenBadTarget, Err: err,
			Reason: "the request target is neither a path nor an http URL but " + quote(string(target))}
	}
	p.begun = &http.Request{
		Method: http.MethodGet, URL: u, RequestURI: string(target),
		Proto: string(proto), ProtoMajor: 1, ProtoMinor: minor, Body: http.NoBody,
	}
	return nil
}

// isPathOrHTTP reports whether a target is in origin-form, or in absolute-form
// as it may be sent through a proxy (RFC 6455 §4.2.1 item 1, RFC 7230 §5.3).
func isPathOrHTTP(target string, u *url.URL) bool {
	if target[0] == '/' {
		return true
	}
	_, _, ok := splitHost(u.Host)
	return ok && u.User == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// finish handles the blank line.
func (p *RequestReader) finish() *Error {
	r := p.begun
	hosts := p.head.header["Host"]
	if len(hosts) != 1 {
		return &Error{Status: http.StatusBadRequest, Token: tokenBadHost,
			Reason: fmt.Sprintf("there are %d Host fields, one is required (RFC 7230 §5.4)", len(hosts))}
	}
	if !isHostField(hosts[0]) {
		return refuseHost(hosts[0])
	}
	// The host of an absolute target overrides the field (RFC 7230 §5.4).
	if r.Host = r.URL.Host; r.Host == "" {
		r.Host = hosts[0]
	}
	delete(p.head.header, "Host")
	r.Header = p.head.header
	if err := checkNoBody(r); err != nil {
		return err
	}
	p.request = r
	return nil
}

// isHTTPVersion reports whether s is an HTTP-version (RFC 7230 §2.6).
func isHTTPVersion(s []byte) bool {
	const form = "HTTP/d.d"
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		if form[i] == 'd' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != form[i] {
			return false
		}
	}
	return true
}
