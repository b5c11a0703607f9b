package handshake

import (
	"fmt"
	"net/http"
	"strings"
)

// IsExtendedConnect reports whether a request opens a WebSocket, or another protocol, as a stream of HTTP/2 or HTTP/3: an extended CONNECT (RFC
// 8441 §4, RFC 9220 §3). net/http names the protocol in the field ":protocol", quic-go in Request.Proto.
// Safe for concurrent use.
func IsExtendedConnect(r *http.Request) bool {
	return r.Method == http.MethodConnect && r.ProtoMajor > 1 && protocol(r) != ""
}

// protocol returns the value of the pseudo-header :protocol, "" if there was none.
func protocol(r *http.Request) string {
	if values := r.Header[":protocol"]; len(values) > 0 {
		return values[0]
	}
	if r.ProtoMajor > 1 && !strings.HasPrefix(r.Proto, "HTTP/") {
		return r.Proto
	}
	return ""
}

// checkStream covers what RFC 8441 §5 has in place of the Upgrade: a Sec-WebSocket-Key that a proxy has left, Upgrade and Connection
// mean nothing.
func checkStream(r *http.Request) *Error {
	if name := protocol(r); !equalFoldASCII(name, "websocket") {
		return &Error{Status: http.StatusNotImplemented, Token: tokenBadProtocol,
			Reason: "the protocol of the extended CONNECT is " + quote(name) + ", only websocket is spoken here"}
	}
	if !isHostField(r.Host) {
		return refuseHost(r.Host)
	}
	switch lengths := r.Header["Content-Length"]; {
	case len(lengths) > 0:
		return &Error{Status: http.StatusBadRequest, Token: tokenUnexpectedBody,
			Reason: "the request has Content-Length " + quote(lengths[0]) + ", a CONNECT has no content (RFC 9110 §9.3.6)"}
	case r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody:
		return &Error{Status: http.StatusBadRequest, Token: tokenUnexpectedEnd,
			Reason: "the stream ends with the request, so no frame can follow"}
	case r.ContentLength > 0:
		return &Error{Status: http.StatusBadRequest, Token: tokenUnexpectedBody,
			Reason: fmt.Sprintf("the request has a body of length %d, a CONNECT has no content (RFC 9110 §9.3.6)", r.ContentLength)}
	}
	return nil
}

// IsStream reports whether the client has opened a stream, which is answered by 200 and StreamHeader.
func (a *Agreement) IsStream() bool { return a.stream }

// StreamHeader returns the fields of the response 200 that accepts a stream (RFC 8441 §5), in a new map. It is for the Agreement that
// Accept returned. Safe for concurrent use.
//
// RFC 8441 has neither Sec-WebSocket-Key nor Sec-WebSocket-Accept. Node.js 26 sends the one all the same and requires the other, so a key
// is answered.
func (a *Agreement) StreamHeader() http.Header {
	h := negotiated(a.Extensions)
	if a.key != "" {
		h.Set("Sec-WebSocket-Accept", AcceptKey(a.key))
	}
	if a.Subprotocol != "" {
		h.Set("Sec-WebSocket-Protocol", a.Subprotocol)
	}
	add(h, a.Header)
	return h
}

// StreamHeader returns the fields of the extended CONNECT that opens the WebSocket as a stream (RFC 8441 §5), in a new map, without
// pseudo-headers: those are :method CONNECT, :protocol websocket, :scheme, :path and, from Host, :authority. Safe for concurrent use.
func (c *ClientRequest) StreamHeader() http.Header {
	h := negotiated(c.extensions)
	h.Set("Sec-WebSocket-Version", version)
	if len(c.subprotocols) > 0 {
		h.Set("Sec-WebSocket-Protocol", strings.Join(c.subprotocols, ", "))
	}
	add(h, c.header)
	return h
}

// Host returns host[:port], as the Host field has it.
func (c *ClientRequest) Host() string { return c.host }

// CheckStream decides about the answer to an extended CONNECT, as Check does about a 101: any status from 200 to 299 accepts
// (RFC 8441 §5). Safe for concurrent use.
func (c *ClientRequest) CheckStream(resp *http.Response) (*Agreement, error) {
	if resp.StatusCode/100 != 2 {
		return nil, badStatus(resp, "200").of(resp)
	}
	return c.checkNegotiated(resp)
}

// negotiated returns a header with the extensions, in so far as there are any.
func negotiated(extensions []Extension) http.Header {
	h := http.Header{}
	if len(extensions) > 0 {
		h.Set("Sec-WebSocket-Extensions", string(AppendExtensions(nil, extensions)))
	}
	return h
}

// add adds fields, whatever the case of their names.
func add(to, from http.Header) {
	for name, values := range from {
		name = http.CanonicalHeaderKey(name)
		to[name] = append(to[name], values...)
	}
}
