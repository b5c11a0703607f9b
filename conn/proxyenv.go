package conn

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// ProxyFromEnvironment is what a nil DialOptions.Proxy means. It returns the proxy of the
// environment for a request of an http or https URL, as net/http does: that of HTTPS_PROXY
// for https (wss), of HTTP_PROXY for http (ws), or of ALL_PROXY where that is not set; nil
// for hosts that NO_PROXY lists, for localhost and names below it, and for loopback addresses.
// Lower-case names come first. A value without a scheme is an HTTP proxy's host[:port].
//
// Three things differ from net/http: ALL_PROXY counts, the environment is read at every call,
// and a value that is not a URL is an error, not a direct connection. Safe for concurrent use.
func ProxyFromEnvironment(r *http.Request) (*url.URL, error) {
	env := httpproxy.FromEnvironment()
	name, value := "HTTPS_PROXY", env.HTTPSProxy
	if r.URL.Scheme == "http" {
		name, value = "HTTP_PROXY", env.HTTPProxy
	}
	if value == "" {
		name, value = "ALL_PROXY", cmp.Or(os.Getenv("all_proxy"), os.Getenv("ALL_PROXY"))
	}
	if value == "" || isLoopback(r.URL.Hostname()) {
		return nil, nil
	}
	exceptions := &httpproxy.Config{HTTPProxy: "http://proxy", HTTPSProxy: "http://proxy", NoProxy: env.NoProxy}
	if wanted, err := exceptions.ProxyFunc()(r.URL); wanted == nil || err != nil {
		return nil, err
	}
	if env.CGI && name == "HTTP_PROXY" {
		return nil, errors.New("HTTP_PROXY is not used in a CGI program, whose client can set it by a field Proxy (golang.org/s/cgihttpproxy)")
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the environment variable " + name + " is not the URL of a proxy") // its value may hold a password
	}
	return u, nil
}

// isLoopback reports whether a host is this machine: localhost, a name below it (RFC 6761 §6.3), or a loopback address.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
