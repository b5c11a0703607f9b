package handshake

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

func originRequest(host string, overTLS bool, origins ...string) *http.Request {
	r := &http.Request{Host: host, Header: http.Header{}}
	if len(origins) > 0 {
		r.Header["Origin"] = origins
	}
	if overTLS {
		r.TLS = &tls.ConnectionState{}
	}
	return r
}

// Cross-site WebSocket hijacking (RFC 6455 §10.2): only the same origin may pass
// by default, and nothing that looks like it.
func TestOnlyTheSameOriginPasses(t *testing.T) {
	tests := []struct {
		name    string
		origin  string
		host    string
		overTLS bool
		want    bool
	}{
		{"the same", "https://example.com", "example.com", true, true},
		{"the same, TLS ended by a proxy", "https://example.com", "example.com", false, true},
		{"the same without TLS", "http://example.com", "example.com", false, true},
		{"the same port", "https://example.com:8443", "example.com:8443", true, true},
		{"the default port in Origin", "https://example.com:443", "example.com", true, true},
		{"the default port in Host", "https://example.com", "example.com:443", true, true},
		{"port 80 in Host", "http://example.com", "example.com:80", false, true},
		{"another case", "https://EXAMPLE.com", "example.COM", true, true},
		{"another case of the scheme", "HTTPS://example.com", "example.com", true, true},
		{"an address", "http://127.0.0.1:8080", "127.0.0.1:8080", false, true},
		{"an IPv6 address", "http://[::1]:8080", "[::1]:8080", false, true},
		{"IDN in Punycode", "https://xn--bcher-kva.example", "xn--bcher-kva.example", true, true},

		{"another host", "https://evil.example", "example.com", true, false},
		{"another scheme over TLS", "http://example.com", "example.com", true, false},
		{"another scheme over TLS, the port is named", "http://example.com:443", "example.com", true, false},
		{"another port", "https://example.com:8443", "example.com", true, false},
		{"another port in Host", "https://example.com", "example.com:8443", true, false},
		{"http to the port of https", "http://example.com", "example.com:443", false, false},
		{"https to the port of http", "https://example.com", "example.com:80", false, false},
		{"null", "null", "example.com", true, false},
		{"null to a host named so", "null", "null", true, false},
		{"empty", "", "example.com", true, false},
		{"a subdomain", "https://www.example.com", "example.com", true, false},
		{"the parent domain", "https://example.com", "www.example.com", true, false},
		{"a longer name that ends alike", "https://evilexample.com", "example.com", true, false},
		{"a longer name that begins alike", "https://example.com.evil.example", "example.com", true, false},
		{"a name that begins alike", "https://example.co", "example.com", true, false},
		{"a dot at the end", "https://example.com.", "example.com", true, false},
		{"a user before the host", "https://example.com@evil.example", "example.com", true, false},
		{"the host as user", "https://evil.example@example.com", "example.com", true, false},
		{"a path", "https://example.com/", "example.com", true, false},
		{"a query", "https://example.com?x", "example.com", true, false},
		{"a fragment", "https://evil.example#example.com", "example.com", true, false},
		{"a backslash", `https://evil.example\example.com`, "example.com", true, false},
		{"two origins in one field", "https://example.com https://evil.example", "example.com", true, false},
		{"a list of origins", "https://example.com,https://evil.example", "example.com", true, false},
		{"no scheme", "example.com", "example.com", true, false},
		{"an empty scheme", "://example.com", "example.com", true, false},
		{"a scheme that is none", "ht+tp s://example.com", "example.com", true, false},
		{"a scheme that begins with a digit", "1https://example.com", "example.com", true, false},
		{"an extension of a browser", "chrome-extension://example.com", "example.com", true, false},
		{"a file", "file://", "example.com", false, false},
		{"no host", "https://", "example.com", true, false},
		{"a port that is too large", "https://example.com:65979", "example.com:443", true, false},
		{"a port with a zero before it", "https://example.com:0443", "example.com", true, false},
		{"IDN as it is read", "https://bücher.example", "xn--bcher-kva.example", true, false},
		{"IDN look-alike", "https://ехаmple.com", "example.com", true, false},
		{"the Kelvin sign for a k", "https://\u212aing.example", "king.example", true, false},
		{"NUL in the host", "https://example.com\x00.evil.example", "example.com", true, false},
		{"a Host that is none", "https://example.com", "example.com/x", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := originRequest(tt.host, tt.overTLS, tt.origin)
			err := checkOrigin(r, &ServerOptions{})
			if (err == nil) != tt.want {
				t.Errorf("Origin %q to Host %q: %v, want allowed = %v", tt.origin, tt.host, err, tt.want)
			}
			if err != nil && (err.Status != 403 || err.Token != "origin") {
				t.Errorf("refused with %v, want 403 origin", err)
			}
			if err := checkOrigin(r, &ServerOptions{AllowAnyOrigin: true}); err != nil {
				t.Errorf("AllowAnyOrigin: %v", err)
			}
		})
	}
}

func TestNoOriginIsNoBrowser(t *testing.T) {
	if err := checkOrigin(originRequest("example.com", true), &ServerOptions{}); err != nil {
		t.Error(err)
	}
}

func TestSeveralOriginsAreRefusedEvenIfAnyIsAllowed(t *testing.T) {
	r := originRequest("example.com", true, "https://example.com", "https://example.com")
	for _, o := range []*ServerOptions{{}, {AllowAnyOrigin: true}} {
		if err := checkOrigin(r, o); err == nil || err.Status != 400 || err.Token != "bad_origin" {
			t.Errorf("%+v: %v, want 400 bad_origin", o, err)
		}
	}
}

func TestOriginPatterns(t *testing.T) {
	tests := []struct {
		pattern, origin string
		want            bool
	}{
		{"https://example.com", "https://example.com", true},
		{"https://example.com", "https://example.com:443", true},
		{"https://example.com:443", "https://example.com", true},
		{"HTTPS://Example.COM", "https://exAMPLE.com", true},
		{"https://example.com", "http://example.com", false},
		{"https://example.com", "https://example.com:8443", false},
		{"https://example.com", "https://www.example.com", false},
		{"https://example.com", "https://example.com.evil.example", false},
		{"https://example.com", "https://notexample.com", false},

		{"example.com", "https://example.com", true},
		{"example.com", "http://example.com", true},
		{"example.com", "http://example.com:443", false},
		{"example.com", "ws://example.com", false},
		{"example.com", "app://example.com", false},
		{"example.com:8080", "http://example.com:8080", true},
		{"example.com:8080", "http://example.com", false},

		{"*.example.com", "https://www.example.com", true},
		{"*.example.com", "https://example.com", false},
		{"*.example.com", "https://a.b.example.com", false},
		{"*.example.com", "https://.example.com", false},
		{"*.example.com", "https://evilexample.com", false},
		{"*.example.com", "https://www.example.com.evil.example", false},
		{"*.example.com", "https://wwwxexample.com", false},
		{"*.*.example.com", "https://a.b.example.com", true},
		{"*.*.example.com", "https://a.example.com", false},
		{"app-*.example.com", "https://app-7.example.com", true},
		{"app-*.example.com", "https://app-.example.com", false},
		{"app-*.example.com", "https://xapp-7.example.com", false},
		{"*-app.example.com", "https://7-app.example.com", true},
		{"a*a.example.com", "https://a.example.com", false},
		{"a*a.example.com", "https://aa.example.com", false},
		{"a*a.example.com", "https://aba.example.com", true},
		{"localhost*", "http://localhost1", true},
		{"a*", "http://[a::1]", false},
		{"*.localhost", "http://a.localhost", true},
		{"*.com", "https://example.com", true},
		{"example.*", "https://example.org", true},
		{"example.*", "https://example.co.uk", false},

		{"localhost:*", "http://localhost", true},
		{"localhost:*", "http://localhost:5173", true},
		{"localhost:*", "http://localhost.evil.example:80", false},
		{"[::1]:*", "http://[::1]:3000", true},
		{"[::1]", "http://[::1]", true},
		{"chrome-extension://abcdef", "chrome-extension://abcdef", true},
		{"chrome-extension://abcdef", "https://abcdef", false},
		{"xn--bcher-kva.example", "https://xn--bcher-kva.example", true},
		{"example.com", "null", false},
		{"*.*.example:*", "null", false},
		{"example.com", "https://example.com/", false},

		{"https://example.com/", "https://example.com", true},
		{"https://example.com/", "https://example.com/", false},
		{"example.com:8080/", "http://example.com:8080", true},
		{"localhost:*/", "http://localhost:3000", true},
		{"null", "null", true},
		{"null", "NULL", false},
		{"null", "http://null", false},
		{"http://null", "http://null", true},
		{"http://null", "null", false},
		{"file://", "file://", true},
		{"FILE:///", "file://", true},
		{"file://", "file:///", false},
		{"file://", "null", false},
		{"file://", "https://file", false},
		{"null", "file://", false},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+" and "+tt.origin, func(t *testing.T) {
			o := &ServerOptions{OriginPatterns: []string{"no.match.example", tt.pattern}}
			err := checkOrigin(originRequest("server.example", true, tt.origin), o)
			if (err == nil) != tt.want {
				t.Errorf("%v, want allowed = %v", err, tt.want)
			}
		})
	}
}

// TestBadOriginPatternsSayWhatToDo: every request is refused, the first one included, whatever
// its origin; what is wrong is for the server's log and not for the client.
func TestBadOriginPatternsSayWhatToDo(t *testing.T) {
	const everybody, path, user, form = "AllowAnyOrigin", "leave out the path", "has no user", "[scheme://]host[:port]"
	for pattern, want := range map[string]string{
		"*": everybody, "*:*": everybody, "https://*": everybody, "*://*": "leave it and :// out", "*/": everybody,
		"https://*:8443": everybody, "*.*": everybody, "**": everybody, "https://*.*.*:*": everybody,
		"https://example.com//": path, "https://example.com/*": path, "https://example.com/chat": path,
		"https://example.com?": path, "example.com#x": path, "file:///index.html": path, "null//": path,
		"user@example.com": user, "https://user:pw@example.com": user,
		"wss://example.com": "write http or https", "WS://example.com:8443": "write http or https", "example.com:": form, "https://example.com:": form,
		"bücher.example": "Punycode", "\u212aing.example": "Punycode",
		"": form, "/": form, "https://": form, "null origin": form, "example.com:x": form, "example.com:80:*": form,
		"example.com\r\n": form, "[::1": form, "https://*.example.com:99999": form, "[x]": form, "a%zz": form, ".*:": everybody,
		"://example.com": "is not a scheme", "1x://example.com": "is not a scheme", "a**.example.com": "more than one *",
	} {
		o := &ServerOptions{OriginPatterns: []string{"example.com", pattern}}
		e := asError(t, o.Validate())
		if e.Status != 500 || e.Token != "server_bug" || !strings.Contains(e.Reason, want) {
			t.Errorf("pattern %q: %v, want %q", pattern, e, want)
		}
		for _, from := range []string{"https://evil.example", "https://server.example.com"} {
			r := goodHandshake()
			r.Header["Origin"] = []string{from}
			_, err := Accept(r, o)
			if e := asError(t, err); e.Status != 500 || !strings.Contains(e.Reason, want) {
				t.Errorf("pattern %q, a page of %s: %v", pattern, from, err)
			}
			if answer := string(asError(t, err).AppendResponse(nil)); strings.Contains(answer, "pattern") {
				t.Errorf("pattern %q: the client is told\n%s", pattern, answer)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *ServerOptions
		want string
	}{
		{"nil", nil, ""},
		{"zero", &ServerOptions{}, ""},
		{"all that is good", &ServerOptions{OriginPatterns: []string{"*.example.com", "null"}, Subprotocols: []string{"a", "b"},
			Header: http.Header{"Set-Cookie": {"a=1"}}}, ""},
		{"a subprotocol that is no token", &ServerOptions{Subprotocols: []string{"a", "b c"}}, `"b c" is not a token`},
		{"an empty subprotocol", &ServerOptions{Subprotocols: []string{""}}, `"" is not a token`},
		{"a field of the handshake", &ServerOptions{Header: http.Header{"Upgrade": {"h2c"}}}, `"Upgrade" belongs`},
		{"bad patterns, although any origin may connect", &ServerOptions{AllowAnyOrigin: true, OriginPatterns: []string{"*"}}, "AllowAnyOrigin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.o.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			_, refused := Accept(goodHandshake(), tt.o)
			if (refused == nil) != (err == nil) || err != nil && refused.Error() != err.Error() {
				t.Errorf("Accept: %v, Validate: %v", refused, err)
			}
		})
	}
}

// TestARefusedOriginSaysWhatAProxyMayHaveDone to Host, where it may have.
func TestARefusedOriginSaysWhatAProxyMayHaveDone(t *testing.T) {
	const port, host = "must pass Host on with its port (nginx: proxy_set_header Host $http_host)", "have it pass Host on as the client sent it"
	for _, tt := range []struct{ origin, host, want string }{
		{"https://chat.example:8443", "chat.example", port},
		{"https://chat.example:8443", "CHAT.example:443", port},
		{"https://chat.example", "127.0.0.1:8080", host},
		{"null", "chat.example", ""},
		{"https://chat.example", "", ""},
	} {
		e := checkOrigin(originRequest(tt.host, false, tt.origin), &ServerOptions{})
		if e == nil || e.Token != "origin" {
			t.Errorf("%s: %v", tt.origin, e)
			continue
		}
		for _, hint := range []string{port, host} {
			if got := strings.HasSuffix(e.Reason, hint); got != (hint == tt.want) {
				t.Errorf("%s to %s: %s", tt.origin, tt.host, e.Reason)
			}
		}
	}
}
