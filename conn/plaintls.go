package conn

import (
	"bytes"
	"errors"
	"net"
	"net/http"
)

// A client that dials ws at a TLS port gets an error that says so. What such a server does with
// plaintext differs: some send a TLS alert, some an HTTP response, some nothing.

const tlsAlert = 0x15

// isTLSRecord reports whether the first byte of an answer begins a TLS record. No HTTP
// response does.
func isTLSRecord(first byte) bool { return first == tlsAlert || first == tlsHandshake }

// The token of refusals that are about TLS, and what to do.
const (
	tokenPlainToTLS = "plain_to_tls"
	dialWSS         = "the server speaks TLS on this port: dial wss in place of ws"
)

// wantsTLS reports whether a refusal says that the port is one of TLS, as those of net/http,
// nginx, Apache httpd and Tomcat do.
func wantsTLS(resp *http.Response, body []byte) bool {
	if resp.StatusCode != http.StatusBadRequest {
		return false
	}
	body = bytes.ToLower(body)
	for _, text := range []string{"to an https server", "sent to https port", "ssl-enabled server port", "requires tls"} {
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

// isTimeout reports whether a deadline has passed.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}
