package handshake

import (
	"maps"
	"net/http"
	"slices"
)

// Agreement is what the two sides agreed upon in the opening handshake: Accept
// returns the server's, ClientRequest.Check the client's. It must not be changed
// while it is in use; reading it is safe for concurrent use.
type Agreement struct {
	// Subprotocol is the one selected (RFC 6455 §1.9). Empty: none.
	Subprotocol string

	// Extensions are those accepted, in the order in which they apply (RFC 6455
	// §9.1). Nil: none.
	Extensions []Extension

	// Header holds, on a server, the further fields of the response, from
	// ServerOptions; on a client, all fields of the server's response. It is the
	// caller's map, not a copy. It may be nil.
	Header http.Header

	key    string // server: the client's Sec-WebSocket-Key; most often empty for a stream
	stream bool   // server: the request is an extended CONNECT
}

// AppendResponse appends the complete 101 response (RFC 6455 §4.2.2 item 5) and
// returns the extended slice. Fields are in a fixed order. It is for the
// Agreement that Accept returned. Safe for concurrent use.
func (a *Agreement) AppendResponse(dst []byte) []byte {
	dst = slices.Grow(dst, 256) // most fit
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\n"+
		"Connection: Upgrade\r\n"...)
	dst = appendField(dst, "Sec-WebSocket-Accept", AcceptKey(a.key))
	dst = appendNegotiated(dst, nil, a.Extensions)
	if a.Subprotocol != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", a.Subprotocol)
	}
	dst = appendHeader(dst, a.Header)
	return append(dst, "\r\n"...)
}

// appendNegotiated appends the fields of subprotocols and extensions, in so far
// as there are any.
func appendNegotiated(dst []byte, subprotocols []string, extensions []Extension) []byte {
	for i, name := range subprotocols {
		if i == 0 {
			dst = append(dst, "Sec-WebSocket-Protocol: "...)
		} else {
			dst = append(dst, ", "...)
		}
		dst = append(dst, name...)
	}
	if len(subprotocols) > 0 {
		dst = append(dst, "\r\n"...)
	}
	if len(extensions) > 0 {
		dst = append(dst, "Sec-WebSocket-Extensions: "...)
		dst = AppendExtensions(dst, extensions)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendHeader appends fields that were checked, sorted by name so that equal
// options make equal bytes.
func appendHeader(dst []byte, h http.Header) []byte {
	if len(h) == 0 {
		return dst
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			dst = appendField(dst, name, value)
		}
	}
	return dst
}
