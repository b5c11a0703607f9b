package conn

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// ProxyError reports that Dial could not reach the host because of its proxy. Its text shows
// neither user nor password of the proxy.
type ProxyError struct {
	// Proxy is the proxy's URL without user and password.
	Proxy string
	// Token names the cause for metrics and never changes:
	//
	//	proxy_config       the Proxy function failed, or its URL cannot be used
	//	proxy_unreachable  there is no connection to the proxy
	//	proxy_tls          the TLS handshake with the proxy failed
	//	proxy_auth         the proxy requires credentials or rejected them: 407, 401, or a
	//	                   failure of SOCKS5's authentication
	//	proxy_refused      the proxy does not make the connection: another status than 2xx, or
	//	                   a refusal of SOCKS5
	//	proxy_broken       the proxy's answer is malformed, too long or truncated
	//	proxy_timeout      the context ended first, or HandshakeTimeout passed
	Token string
	// Reason says what happened. It quotes what the proxy said, escaped.
	Reason string
	// Response is the HTTP proxy's answer that refuses, with at most 4 KiB of its body, or nil.
	Response *http.Response
	// Err is the cause, or nil. With proxy_timeout it is the context's error.
	Err error
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
		b.WriteString(": " + credentials.ReplaceAllString(e.Err.Error(), "***@"))
	}
	if e.Response != nil {
		b.WriteString(" (status " + strconv.Itoa(e.Response.StatusCode) + ")")
	}
	return b.String()
}

// credentials are what precedes a host in the URLs of an error's text.
var credentials = regexp.MustCompile(`[^\s"]+@`)

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
