package handshake

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Error is an opening handshake that failed, on either side. Every error that
// this package returns is an *Error; package doc lists the tokens.
//
// A server answers with it: AppendResponse makes the bytes for a raw connection,
// ServeHTTP does the same behind net/http. Both close the connection after the
// answer, so that nothing the client sent next is parsed as a request. A
// Check or SelectSubprotocol function may return one of its own; then Status 0
// means 403.
//
// The zero value is a refusal with 403 and nothing to say. An Error must not be
// changed while it is in use; reading it is safe for concurrent use.
type Error struct {
	// Status is the HTTP status code. On a server it is the one to answer with:
	// 300 to 599 but for 304, anything else is answered as 500. On a client it is the one
	// that the server sent, or 0 when no response was read.
	Status int

	// Token is a short stable name of the cause, for metrics: lower case with
	// underscores, such as "missing_upgrade" or "origin".
	Token string

	// Reason says in a sentence which input was wrong and what was expected. It
	// is also the body of a refusal unless Body is set or Status is 500 or more,
	// so it must not hold secrets. Input is quoted in it, and cut short.
	Reason string

	// Header holds further fields of a refusal, such as WWW-Authenticate. Fields
	// that are not valid in HTTP, or that say where the message ends, are left
	// out. Nil is fine.
	Header http.Header

	// Body is the body of a refusal. Nil: Reason, or the status text from 500 on.
	Body []byte

	// ContentType describes Body. Empty: text/plain; charset=utf-8.
	ContentType string

	// Response is the server's response when a client refuses it, and nil
	// otherwise. Its Body holds nothing.
	Response *http.Response

	// Err is the error beneath, or nil. It is never sent to the peer.
	Err error
}

// Error says what failed, with the token and the status.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("websocket: handshake: ")
	if e.Token != "" {
		b.WriteString(e.Token)
		b.WriteString(": ")
	}
	switch {
	case e.Reason != "":
		b.WriteString(e.Reason)
	case e.Err == nil:
		b.WriteString("refused")
	}
	if e.Err != nil {
		if e.Reason != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Status != 0 {
		b.WriteString(" (status ")
		b.WriteString(strconv.Itoa(e.Status))
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns Err, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// AppendResponse appends a complete HTTP/1.1 response that refuses the request,
// and returns the extended slice. The caller sends it and closes the connection.
// Safe for concurrent use.
func (e *Error) AppendResponse(dst []byte) []byte {
	status, body := e.status(), e.body()
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, statusText(status)...)
	dst = append(dst, "\r\nConnection: close\r\n"...)
	for _, f := range e.fields(status) {
		dst = appendField(dst, f.name, f.value)
	}
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

// ServeHTTP refuses a request through net/http, with the same response that
// AppendResponse makes, and has the server close the connection. Of the request only the
// protocol is looked at: in HTTP/2 and HTTP/3 there are no fields about the connection,
// which goes on with its other streams (RFC 9113 §8.2.2). Nil means HTTP/1.1. Safe for
// concurrent use.
func (e *Error) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body := e.status(), e.body()
	h := w.Header()
	streams := r != nil && r.ProtoMajor > 1
	if !streams {
		h.Set("Connection", "close") // net/http closes if it is the first value
	}
	for _, f := range e.fields(status) {
		switch {
		case streams && (f.name == "Connection" || f.name == "Upgrade"):
		case f.name == "Content-Type":
			h.Set(f.name, f.value)
		default:
			h.Add(f.name, f.value)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a peer that is gone needs no refusal
}

type field struct{ name, value string }

// fields lists the header of a refusal without Connection: close and
// Content-Length, in an order that does not change.
func (e *Error) fields(status int) []field {
	var list []field
	switch status {
	case http.StatusUpgradeRequired:
		// RFC 7231 §6.5.15 asks for Upgrade, RFC 7230 §6.7 for naming it in
		// Connection, RFC 6455 §4.4 for the version.
		list = append(list, field{"Connection", "Upgrade"}, field{"Upgrade", "websocket"},
			field{"Sec-WebSocket-Version", version})
	case http.StatusMethodNotAllowed:
		list = append(list, field{"Allow", http.MethodGet})
	}
	names := make([]string, 0, len(e.Header))
	for name := range e.Header {
		if isToken(name) && !framing[http.CanonicalHeaderKey(name)] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range e.Header[name] {
			if isFieldValue(value) {
				list = append(list, field{name, value})
			}
		}
	}
	contentType := e.ContentType
	if contentType == "" || !isFieldValue(contentType) {
		contentType = "text/plain; charset=utf-8"
	}
	// The body may quote what the peer sent: no browser may take it for a page.
	return append(list, field{"Content-Type", contentType}, field{"X-Content-Type-Options", "nosniff"})
}

// framing holds the fields that decide where the refusal ends, and those that
// fields adds itself.
var framing = map[string]bool{
	"Connection": true, "Content-Length": true, "Content-Type": true, "Transfer-Encoding": true,
	"Trailer": true, "Upgrade": true, "X-Content-Type-Options": true,
}

func (e *Error) status() int {
	switch {
	case e.Status == 0:
		return http.StatusForbidden
	case e.Status < 300 || e.Status > 599, e.Status == http.StatusNotModified: // the latter has no body
		return http.StatusInternalServerError
	default:
		return e.Status
	}
}

func (e *Error) body() []byte {
	status := e.status()
	switch {
	case e.Body != nil:
		return e.Body
	case e.Reason != "" && status < 500:
		return append([]byte(e.Reason), '\n')
	default:
		return append([]byte(statusText(status)), '\n')
	}
}

// statusText never returns an empty string, so that the status line always has
// its reason phrase.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Status " + strconv.Itoa(status)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// quote shows a peer's input in a reason: escaped, and not more than 64 bytes.
func quote(s string) string {
	if len(s) > 64 {
		return strconv.QuoteToASCII(s[:64]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
