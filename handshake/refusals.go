package handshake

import (
	"fmt"
	"net/http"
	"strings"
)

// The tokens of Error, which package doc explains. They never change.
const (
	tokenBadAccept        = "bad_accept"
	tokenBadConnection    = "bad_connection"
	tokenBadExtensions    = "bad_extensions"
	tokenBadHeader        = "bad_header"
	tokenBadHost          = "bad_host"
	tokenBadHTTPVersion   = "bad_http_version"
	tokenBadKey           = "bad_key"
	tokenBadMethod        = "bad_method"
	tokenBadOptions       = "bad_options"
	tokenBadOrigin        = "bad_origin"
	tokenBadProtocol      = "bad_protocol"
	tokenBadRequestLine   = "bad_request_line"
	tokenBadStatus        = "bad_status"
	tokenBadStatusLine    = "bad_status_line"
	tokenBadSubprotocol   = "bad_subprotocol"
	tokenBadTarget        = "bad_target"
	tokenBadUpgrade       = "bad_upgrade"
	tokenBadURL           = "bad_url"
	tokenBadVersion       = "bad_version"
	tokenHeaderTooLarge   = "header_too_large"
	tokenMissingConn      = "missing_connection"
	tokenMissingKey       = "missing_key"
	tokenMissingUpgrade   = "missing_upgrade"
	tokenMissingVersion   = "missing_version"
	tokenOrigin           = "origin"
	tokenRejected         = "rejected"
	tokenServerBug        = "server_bug"
	tokenStartLineTooLong = "start_line_too_long"
	tokenUnexpectedBody   = "unexpected_body"
	tokenUnexpectedEnd    = "unexpected_end"
)

// version is the protocol's, the only one there is (RFC 6455 §4.1 item 9).
const version = "13"

func refuseMethod(method string) *Error {
	return &Error{Status: http.StatusMethodNotAllowed, Token: tokenBadMethod,
		Reason: "the method is " + quote(method) + ", an opening handshake is a GET (RFC 6455 §4.1)"}
}

// refuseVersion answers 426, not 505, which says of a client that it is too new: what is
// needed is another version, and in most cases of a proxy that the client does not know.
func refuseVersion(proto string) *Error {
	hint := "use HTTP/1.1"
	switch {
	case strings.HasPrefix(proto, "HTTP/1."):
		hint = "a proxy in front must use HTTP/1.1 towards this server (nginx: proxy_http_version 1.1)"
	case strings.HasPrefix(proto, "HTTP/2"):
		hint = "over HTTP/2 a WebSocket is opened by an extended CONNECT (RFC 8441); a client that cannot do that agrees on http/1.1 " +
			"by ALPN, and a proxy in front uses HTTP/1.1 towards this server"
	}
	return &Error{Status: http.StatusUpgradeRequired, Token: tokenBadHTTPVersion,
		Reason: "the protocol is " + quote(proto) + ", an opening handshake needs HTTP/1.1 (RFC 6455 §4.1): " + hint}
}

func refuseHost(host string) *Error {
	return &Error{Status: http.StatusBadRequest, Token: tokenBadHost,
		Reason: "the Host field is not host[:port] but " + quote(host)}
}

// isHostField reports whether s is a value of Host. It is empty where the client knows no
// name for the server (RFC 9110 §7.2, RFC 9112 §3.2); no origin equals that.
func isHostField(s string) bool {
	_, _, ok := splitHost(s)
	return ok || s == ""
}

// serverBug is the refusal when the server's own options are at fault: the
// client is told nothing but 500.
func serverBug(reason string) *Error {
	return &Error{Status: http.StatusInternalServerError, Token: tokenServerBug, Reason: reason}
}

// badOptions is a client's own mistake, found before anything is sent.
func badOptions(reason string) *Error { return &Error{Token: tokenBadOptions, Reason: reason} }

// checkNoBody refuses a body. Whether bytes after the head are one or frames
// must not be a matter of opinion between this server and a proxy.
func checkNoBody(r *http.Request) *Error {
	what := ""
	switch {
	case len(r.TransferEncoding) > 0 || r.Header["Transfer-Encoding"] != nil:
		what = "Transfer-Encoding"
	case r.ContentLength != 0:
		what = fmt.Sprintf("a body of length %d", r.ContentLength)
	default:
		for _, length := range r.Header["Content-Length"] {
			if strings.Trim(length, "0") != "" || length == "" {
				what = "Content-Length " + quote(length)
			}
		}
	}
	if what == "" {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Token: tokenUnexpectedBody,
		Reason: "the request has " + what + ", an opening handshake has no body"}
}

// owned reports whether the handshake writes a field itself, or the field would
// change where the message ends, so that no caller may supply it.
func owned(name string) bool {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Connection", "Content-Length", "Host", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	const prefix = "Sec-Websocket-"
	return len(name) >= len(prefix) && name[:len(prefix)] == prefix
}

// checkHeader checks fields that a caller supplies, before a byte of them is
// sent, and says what is wrong or nothing.
func checkHeader(h http.Header) (problem string) {
	for name, values := range h {
		if !isToken(name) {
			return "the header name " + quote(name) + " is not a token"
		}
		if owned(name) {
			return "the header " + quote(name) + " belongs to the handshake; use the option for it, if there is one"
		}
		for _, value := range values {
			if !isFieldValue(value) {
				return "the value of the header " + quote(name) + " holds a control character"
			}
		}
	}
	return ""
}
