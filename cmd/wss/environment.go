package main

import (
	"net"
	"net/http"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// checkPath refuses a request whose path cannot be put into an environment.
func checkPath(r *http.Request) error {
	if strings.ContainsRune(r.URL.Path, 0) {
		return &conn.HandshakeError{Status: http.StatusBadRequest, Token: "bad_path", Reason: "the path holds a NUL"}
	}
	return nil
}

// environment returns the meta-variables of CGI (RFC 3875 §4.1) for a request.
func environment(r *http.Request, subprotocol string) []string {
	remoteHost, remotePort, _ := net.SplitHostPort(r.RemoteAddr)
	env := []string{
		"GATEWAY_INTERFACE=CGI/1.1",
		"SERVER_PROTOCOL=" + r.Proto,
		"REQUEST_METHOD=" + r.Method,
		"REQUEST_URI=" + r.RequestURI,
		"PATH_INFO=" + r.URL.Path,
		"QUERY_STRING=" + r.URL.RawQuery,
		"REMOTE_ADDR=" + remoteHost,
		"REMOTE_PORT=" + remotePort,
		"WEBSOCKET_SUBPROTOCOL=" + subprotocol,
		"HTTP_HOST=" + r.Host,
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if host, port, err := net.SplitHostPort(addr.String()); err == nil {
			env = append(env, "SERVER_NAME="+host, "SERVER_PORT="+port)
		}
	}
	if r.TLS != nil {
		env = append(env, "HTTPS=on")
		if len(r.TLS.PeerCertificates) > 0 {
			env = append(env, "SSL_CLIENT_S_DN="+r.TLS.PeerCertificates[0].Subject.String())
		}
	}
	for name, values := range r.Header {
		if variable, ok := headerVariable(name); ok {
			env = append(env, variable+"="+strings.Join(values, ", "))
		}
	}
	return env
}

// headerVariable returns the variable for a field of the request. Two kinds of names are left out: Proxy, as programs take
// HTTP_PROXY for the proxy that they should use, and those with an underscore, which could pass for a field with a hyphen.
func headerVariable(name string) (string, bool) {
	if strings.EqualFold(name, "Proxy") || strings.Contains(name, "_") {
		return "", false
	}
	return "HTTP_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_"), true
}
