package handshake

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// ResponseReader reads the head of a server's answer from bytes as they arrive
// (RFC 6455 §4.1, RFC 7230 §3), under the same limits and as strictly as
// RequestReader, but for folded lines, which it joins by a space as a user agent must
// (RFC 7230 §3.2.4). Interim responses (100 to 199 but for 101) are skipped; limits
// count them. The zero value is ready, with default limits.
//
// Whether the answer accepts the connection is for ClientRequest.Check to say.
//
// A ResponseReader is for one response and one goroutine at a time.
type ResponseReader struct {
	head     head
	begun    *http.Response // after the status line
	response *http.Response // after the blank line
}

// NewResponseReader returns a reader with the given limits.
func NewResponseReader(l Limits) *ResponseReader {
	return &ResponseReader{head: head{limits: l}}
}

// Feed consumes bytes of the response's head. It returns how many it took, and
// done when the head is complete: the first n bytes of b end with the blank
// line. The bytes that follow are frames after a 101, or the body of a refusal.
//
// The error is nil or an *Error with Status 0. It stays: a reader that has
// failed or is done takes no more bytes. Feed does not keep b.
func (p *ResponseReader) Feed(b []byte) (n int, done bool, err error) {
	p.head.limits, p.head.answer = p.head.limits.orDefaults(), true
	n, refusal := p.head.feed(b, p.start, p.finish)
	if refusal != nil {
		refusal.Status = 0 // those of head are a server's
		return n, false, refusal
	}
	return n, p.head.done, nil
}

// Response returns the response when Feed has reported done, and nil before.
// Header names are in canonical form and repeated fields are kept in order. Body
// is http.NoBody: the body was not read. How to read it is told as by net/http:
//
//	ContentLength  TransferEncoding  the body (RFC 9112 §6.3)
//	0              nil               is empty: 101, 204 and 304, whatever their fields
//	                                 say, and Content-Length: 0
//	n > 0          nil               has n bytes
//	-1             […, "chunked"]    is chunked, within the codings before it; the field Transfer-Encoding, and a
//	                                 Content-Length beside it, are taken out of Header
//	-1             nil               goes on to the end of the stream
//
// Every call returns the same response.
func (p *ResponseReader) Response() *http.Response { return p.response }

// start parses the status line (RFC 7230 §3.1.2). A missing space after the
// code is tolerated, as real servers forget it before an empty reason phrase.
func (p *ResponseReader) start(line []byte) *Error {
	proto, status, _ := bytes.Cut(line, []byte{' '})
	code, _, _ := strings.Cut(string(status), " ")
	n, err := strconv.ParseUint(code, 10, 16)
	v1 := isHTTPVersion(proto) && proto[len("HTTP/")] == '1'
	if !v1 || err != nil || len(code) != 3 || n < 100 {
		return &Error{Token: tokenBadStatusLine,
			Reason: "the status line is not \"HTTP/1.1 101 Switching Protocols\" but " + quote(string(line))}
	}
	p.begun = &http.Response{
		Status: string(status), StatusCode: int(n),
		Proto: string(proto), ProtoMajor: 1, ProtoMinor: int(proto[len(proto)-1] - '0'),
		Body: http.NoBody, ContentLength: -1,
	}
	return nil
}

// finish handles the blank line.
func (p *ResponseReader) finish() *Error {
	r := p.begun
	if r.StatusCode < 200 && r.StatusCode != http.StatusSwitchingProtocols {
		p.head.done, p.head.begun, p.head.header, p.head.last = false, false, nil, ""
		return nil
	}
	if r.Header = p.head.header; r.Header == nil {
		r.Header = make(http.Header)
	}
	if err := setLength(r); err != nil {
		return err
	}
	p.response = r
	return nil
}

// setLength determines the length of the body (RFC 9112 §6.3).
func setLength(r *http.Response) *Error {
	switch r.StatusCode {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusNotModified:
		r.ContentLength = 0
		return nil
	}
	if coding := r.Header["Transfer-Encoding"]; coding != nil && r.ProtoMinor > 0 {
		// The body ends where chunks do only if chunked is the last coding; else its end is the stream's.
		all := strings.Split(strings.ToLower(strings.Join(coding, ",")), ",")
		for i := range all {
			all[i] = strings.Trim(all[i], " \t")
		}
		if all[len(all)-1] == "chunked" {
			r.TransferEncoding = all
			delete(r.Header, "Transfer-Encoding")
			delete(r.Header, "Content-Length")
		}
		return nil
	}
	for i, length := range r.Header["Content-Length"] {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil || i > 0 && int64(n) != r.ContentLength {
			return malformed("Content-Length is not one number but " + quote(length))
		}
		r.ContentLength = int64(n)
	}
	return nil
}
