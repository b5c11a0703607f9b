package websocket

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/seed-c4549abd/wss/handshake"
)

// deflatePolicy is compression without context takeover, in both directions (RFC 7692 §7.1.1).
var deflatePolicy = handshake.DeflatePolicy{ServerNoContextTakeover: true, ClientNoContextTakeover: true}

// offerDeflate is how a client offers it.
const offerDeflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

// acceptDeflate chooses from what a client offers. The zero parameters say that nothing is agreed on.
func acceptDeflate(h http.Header) (handshake.Extension, handshake.DeflateParams) {
	offers, err := handshake.ParseExtensions(h["Sec-Websocket-Extensions"])
	if err != nil {
		return handshake.Extension{}, handshake.DeflateParams{}
	}
	extension, params, ok := deflatePolicy.Accept(offers)
	if !ok {
		return handshake.Extension{}, handshake.DeflateParams{}
	}
	return extension, params
}

// appendResponse appends the 101 response.
func appendResponse(b []byte, r *http.Request, subprotocol string, extension handshake.Extension, header http.Header) []byte {
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"...)
	b = appendField(b, "Sec-WebSocket-Accept", handshake.AcceptKey(r.Header.Get("Sec-Websocket-Key")))
	if subprotocol != "" {
		b = appendField(b, "Sec-WebSocket-Protocol", subprotocol)
	}
	if extension.Name != "" {
		b = appendField(b, "Sec-WebSocket-Extensions", string(handshake.AppendExtensions(nil, []handshake.Extension{extension})))
	}
	for name, values := range header {
		if name == "Sec-Websocket-Protocol" {
			continue
		}
		for _, value := range values {
			b = appendField(b, name, value)
		}
	}
	return append(b, "\r\n"...)
}

// appendField appends a field. Control characters become spaces, so that the field cannot end early (RFC 9112 §11.1).
func appendField(b []byte, name, value string) []byte {
	b = appendVisible(b, name)
	b = append(b, ": "...)
	b = appendVisible(b, value)
	return append(b, "\r\n"...)
}

func appendVisible(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' {
			b = append(b, ' ')
		} else {
			b = append(b, s[i])
		}
	}
	return b
}

// validKey reports whether a Sec-WebSocket-Key is the base64 of 16 bytes (RFC 6455 §4.2.1).
func validKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 16
}

// hasToken reports whether a field lists a token, whatever its case.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h[name] {
		for element := range strings.SplitSeq(value, ",") {
			if equalFoldASCII(strings.Trim(element, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// equalFoldASCII is strings.EqualFold for ASCII letters only: "K" is not the Kelvin sign.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
