package handshake

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// head collects the lines of an HTTP/1.1 message head (RFC 7230 §3). It looks at
// every byte once, however they are cut up, and holds no more than one line that
// is not complete, besides the fields it has accepted.
//
// The grammar is read strictly, since what two parsers understand differently is
// what request smuggling is made of: lines end with CRLF, never with a bare LF;
// no folded lines in requests; no space before the colon; no control characters.
type head struct {
	limits Limits
	answer bool   // a response: folded lines are joined, an empty first line is refused
	line   []byte // an incomplete line
	total  int    // bytes so far
	count  int    // header fields so far
	blank  bool   // an empty line came before the start line
	begun  bool   // the start line is complete
	done   bool
	err    *Error // the first error stays
	header http.Header
	values []string // room for values in header
	last   string   // the key of the last field, for folded lines
	folded []byte   // the last field's value, while folded lines are added to it
}

// feed consumes up to the end of the head. start parses the start line, finish
// runs at the blank line and may ask for another head by calling again.
func (h *head) feed(b []byte, start func(line []byte) *Error, finish func() *Error) (n int, err *Error) {
	for n < len(b) && !h.done && h.err == nil {
		chunk := b[n:]
		end := bytes.IndexByte(chunk, '\n') + 1
		if end > 0 {
			chunk = chunk[:end]
		}
		if h.err = h.fits(len(chunk)); h.err != nil {
			break
		}
		n += len(chunk)
		h.total += len(chunk)
		line := chunk
		if end == 0 || len(h.line) != 0 {
			h.line = append(h.line, chunk...)
			line = h.line
		}
		if end > 0 {
			h.err = h.take(line, start, finish)
			h.line = h.line[:0]
		}
	}
	if h.done || h.err != nil {
		h.line = nil
	}
	return n, h.err
}

// fits checks the limits for more bytes of the current line. Which of the two
// limits is named does not depend on how the input was cut.
func (h *head) fits(more int) *Error {
	lineRoom, totalRoom := h.limits.LineBytes-len(h.line), h.limits.TotalBytes-h.total
	if more <= min(lineRoom, totalRoom) {
		return nil
	}
	status, token, what := http.StatusRequestHeaderFieldsTooLarge, tokenHeaderTooLarge, "a header line"
	if !h.begun {
		status, token, what = http.StatusRequestURITooLong, tokenStartLineTooLong, "the first line"
	}
	if lineRoom <= totalRoom {
		return &Error{Status: status, Token: token,
			Reason: fmt.Sprintf("%s is longer than %d bytes", what, h.limits.LineBytes)}
	}
	return &Error{Status: status, Token: token,
		Reason: fmt.Sprintf("the head of the message is longer than %d bytes", h.limits.TotalBytes)}
}

// take handles one complete line.
func (h *head) take(line []byte, start func([]byte) *Error, finish func() *Error) *Error {
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return malformed("a line ends with a bare LF; HTTP/1.1 ends lines with CRLF")
	}
	line = line[:len(line)-2]
	switch {
	case !isFieldValue(line):
		return malformed("a line holds a control character: " + quote(string(line)))
	case !h.begun && len(line) == 0 && !h.answer && !h.blank:
		h.blank = true // RFC 9112 §2.2: a server ignores an empty line before the request line
		return nil
	case !h.begun:
		h.begun = true
		return start(line)
	case len(line) == 0:
		h.unfold()
		h.done = true
		return finish()
	default:
		return h.field(line)
	}
}

// field handles one header field (RFC 7230 §3.2).
func (h *head) field(line []byte) *Error {
	if h.count++; h.count > h.limits.Headers {
		return &Error{Status: http.StatusRequestHeaderFieldsTooLarge, Token: tokenHeaderTooLarge,
			Reason: fmt.Sprintf("there are more than %d header fields", h.limits.Headers)}
	}
	if line[0] == ' ' || line[0] == '\t' {
		return h.fold(line)
	}
	h.unfold()
	text := string(line) // once for name and value
	name, value, ok := strings.Cut(text, ":")
	switch {
	case !ok:
		return malformed("a header line has no colon: " + quote(text))
	case !isToken(name):
		return malformed("a header field's name is not a token: " + quote(name))
	}
	h.last = http.CanonicalHeaderKey(name)
	h.add(h.last, trimOWS(value))
	return nil
}

// fold handles a line that begins with white space. RFC 7230 §3.2.4 lets a server
// refuse it, and has a user agent put a space in place of the line break; before the
// first field it belongs to nothing (§3). Lines are collected and joined once, so that
// many of them take linear time.
func (h *head) fold(line []byte) *Error {
	if !h.answer || h.last == "" {
		return malformed("a header line begins with white space; folded lines are obsolete (RFC 7230 §3.2.4)")
	}
	if h.folded == nil {
		values := h.header[h.last]
		h.folded = append(h.folded, values[len(values)-1]...)
	}
	h.folded = append(append(h.folded, ' '), bytes.Trim(line, " \t")...)
	return nil
}

// unfold completes a field of which lines were folded.
func (h *head) unfold() {
	if h.folded == nil {
		return
	}
	values := h.header[h.last]
	values[len(values)-1] = trimOWS(string(h.folded))
	h.folded = nil
}

// add is http.Header.Add with one allocation for several fields.
func (h *head) add(key, value string) {
	if h.header == nil {
		h.header = make(http.Header)
	}
	if earlier, ok := h.header[key]; ok {
		h.header[key] = append(earlier, value)
		return
	}
	n := len(h.values)
	if n == cap(h.values) {
		h.values, n = make([]string, 0, 16), 0
	}
	h.values = append(h.values, value)
	h.header[key] = h.values[n : n+1 : n+1] // an append moves it elsewhere
}

// malformed is the refusal of what is not HTTP/1.1.
func malformed(reason string) *Error {
	return &Error{Status: http.StatusBadRequest, Token: tokenBadHeader, Reason: reason}
}
