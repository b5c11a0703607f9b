package conn

import (
	"net/http"
	"strconv"
	"strings"
)

// ProxyError is the failure of a proxy, or of the way to it, in Dial: the URL's host was not
// reached. It names neither user nor password of the proxy. Err is what is beneath, or nil;
// it is the context's error if that ended first.
type ProxyError struct {
	// Proxy is the proxy's URL without user and password.
	Proxy string
	// Token names the cause for metrics and never changes:
	//
	//	proxy_config       the Proxy function failed, or its URL cannot be used
	//	proxy_unreachable  there is no connection to the proxy
	//	proxy_tls          the TLS handshake with the proxy failed
	//	proxy_auth         the proxy wants credentials, or others: 407, 401 or what
	//	                   SOCKS5 has for it
	//	proxy_refused      the proxy does not make the connection: another status than 2xx, or
	//	                   a refusal of SOCKS5
	//	proxy_broken       the answer is none of the proxy's protocol, is too long or breaks off
	//	proxy_timeout      the context, or HandshakeTimeout, ended first
	Token string
	// Reason says what happened. It quotes what the proxy said, escaped.
	Reason string
	// Response is the HTTP proxy's answer that refuses, with at most 4 KiB of its body, or nil.
	Response *http.Response
	Err      error
}

// Error says which proxy failed, and how.
func (e *ProxyError) Error() string {
	var b strings.Builder
	b.WriteString("websocket: proxy")
	if e.Proxy != "" {
		b.WriteString(" " + e.Proxy)
	}
	b.WriteString(": " + e.Token)
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Response != nil {
		b.WriteString(" (status " + strconv.Itoa(e.Response.StatusCode) + ")")
	}
	return b.String()
}

// Unwrap returns Err.
func (e *ProxyError) Unwrap() error { return e.Err }

const (
	tokenProxyConfig      = "proxy_config"
	tokenProxyUnreachable = "proxy_unreachable"
	tokenProxyTLS         = "proxy_tls"
	tokenProxyAuth        = "proxy_auth"
	tokenProxyRefused     = "proxy_refused"
	tokenProxyBroken      = "proxy_broken"
	tokenProxyTimeout     = "proxy_timeout"
)
