package handshake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// without hides the nonce, which is another one each time.
func without(key, request string) string {
	i := strings.Index(request, key)
	if i < 0 {
		return request
	}
	return request[:i+len(key)] + "…" + request[i+len(key)+24:]
}

func TestNewRequestBytes(t *testing.T) {
	const middle = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: …\r\nSec-WebSocket-Version: 13\r\n"
	tests := []struct {
		name, url string
		o         *ClientOptions
		want      string
	}{
		{"the least", "ws://example.com", nil, "GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"path and query", "wss://example.com/a%20b/c?d=e&f", nil, "GET /a%20b/c?d=e&f HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"only a query", "wss://example.com?a", nil, "GET /?a HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"an empty query", "wss://example.com/?", nil, "GET /? HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"a port", "ws://example.com:8080/", nil, "GET / HTTP/1.1\r\nHost: example.com:8080\r\n" + middle + "\r\n"},
		{"the default port", "wss://example.com:443/", nil, "GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"the other default port", "wss://example.com:80/", nil, "GET / HTTP/1.1\r\nHost: example.com:80\r\n" + middle + "\r\n"},
		{"http", "http://example.com:80/", nil, "GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"https in capitals", "HTTPS://example.com:443/", nil, "GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"IPv6", "ws://[::1]:8080/", nil, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n" + middle + "\r\n"},
		{"IPv6 with a zone", "ws://[fe80::1%25eth0]/", nil, "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n" + middle + "\r\n"},
		{"user and password", "ws://user:pa%20ss@example.com/", nil,
			"GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "Authorization: Basic dXNlcjpwYSBzcw==\r\n\r\n"},
		{"user alone", "ws://user@example.com/", nil,
			"GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "Authorization: Basic dXNlcjo=\r\n\r\n"},
		{"Authorization wins", "ws://user:pass@example.com/", &ClientOptions{Header: http.Header{"authorization": {"Bearer x"}}},
			"GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "authorization: Bearer x\r\n\r\n"},
		{"another Host", "ws://127.0.0.1:9000/", &ClientOptions{Host: "example.com"},
			"GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "\r\n"},
		{"everything", "wss://example.com/", &ClientOptions{
			Subprotocols: []string{"chat", "superchat"},
			Extensions:   []Extension{{Name: "a", Params: []Param{{Name: "b", Value: "1", HasValue: true}}}, {Name: "a"}},
			Header:       http.Header{"Origin": {"https://example.com"}, "Cookie": {"a=1"}, "X-A": {"1", "2"}},
		}, "GET / HTTP/1.1\r\nHost: example.com\r\n" + middle + "Sec-WebSocket-Protocol: chat, superchat\r\n" +
			"Sec-WebSocket-Extensions: a; b=1, a\r\nCookie: a=1\r\nOrigin: https://example.com\r\nX-A: 1\r\nX-A: 2\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			c, err := NewRequest(u, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			got := without("Sec-WebSocket-Key: ", string(c.Append([]byte("before"))))
			if diff := cmp.Diff("before"+tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// undici CVE-2026-1527: what a caller passes on from elsewhere must not be able
// to end a line and begin another.
func TestControlCharactersAreRefusedBeforeAByteIsSent(t *testing.T) {
	for _, bad := range []string{"\r\n", "\n", "\r", "\x00", "\x7f", "a\r\nX-Evil: 1"} {
		base := url.URL{Scheme: "ws", Host: "example.com", Path: "/"}
		with := func(change func(*url.URL)) *url.URL {
			u := base
			change(&u)
			return &u
		}
		tests := []struct {
			name  string
			u     *url.URL
			o     ClientOptions
			token string
		}{
			{"header value", &base, ClientOptions{Header: http.Header{"X-A": {"a" + bad}}}, "bad_options"},
			{"header name", &base, ClientOptions{Header: http.Header{"X-A" + bad: {"a"}}}, "bad_options"},
			{"subprotocol", &base, ClientOptions{Subprotocols: []string{"a" + bad}}, "bad_options"},
			{"extension", &base, ClientOptions{Extensions: []Extension{{Name: "a" + bad}}}, "bad_options"},
			{"parameter", &base, ClientOptions{Extensions: []Extension{{Name: "a", Params: []Param{{Name: "b" + bad}}}}}, "bad_options"},
			{"parameter's value", &base, ClientOptions{Extensions: []Extension{{Name: "a", Params: []Param{{Name: "b", Value: bad, HasValue: true}}}}}, "bad_options"},
			{"Host", &base, ClientOptions{Host: "example.com" + bad}, "bad_options"},
			{"host of the URL", with(func(u *url.URL) { u.Host += bad }), ClientOptions{}, "bad_url"},
			{"query", with(func(u *url.URL) { u.RawQuery = "a=" + bad }), ClientOptions{}, "bad_url"},
			{"scheme", with(func(u *url.URL) { u.Scheme += bad }), ClientOptions{}, "bad_url"},
		}
		for _, tt := range tests {
			c, err := NewRequest(tt.u, &tt.o)
			if c != nil {
				t.Errorf("%s with %q: there is a request:\n%s", tt.name, bad, c.Append(nil))
			}
			if e := asError(t, err); e.Token != tt.token || e.Status != 0 {
				t.Errorf("%s with %q: %v, want %s", tt.name, bad, err, tt.token)
			}
		}
		// A path and a user are escaped, not refused.
		c, err := NewRequest(with(func(u *url.URL) { u.Path, u.User = "/"+bad, url.UserPassword(bad, bad) }), nil)
		if err != nil {
			t.Fatalf("path and user with %q: %v", bad, err)
		}
		var p RequestReader
		if n, done, err := p.Feed(c.Append(nil)); n != len(c.Append(nil)) || !done || err != nil || p.Request().Header["X-Evil"] != nil {
			t.Errorf("path and user with %q: Feed = %d, %v, %v", bad, n, done, err)
		}
	}
}

func TestBadURLs(t *testing.T) {
	for _, text := range []string{
		"example.com", "//example.com/", "ftp://example.com/", "/path", "ws:example.com", "ws://", "ws:///path",
		"ws://example.com/#top", "ws://example.com:99999/", "ws://bücher.example/", "unix:///tmp/socket",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := NewRequest(u, nil); c != nil || asError(t, err).Token != "bad_url" {
			t.Errorf("%q: %v", text, err)
		}
	}
	for name, u := range map[string]*url.URL{
		"nil":              nil,
		"zero":             {},
		"a relative path":  {Scheme: "ws", Host: "example.com", Path: "a"},
		"an asterisk":      {Scheme: "ws", Host: "example.com", Path: "*"},
		"opaque":           {Scheme: "ws", Host: "example.com", Opaque: "//evil.example/"},
		"a raw fragment":   {Scheme: "ws", Host: "example.com", RawFragment: "a"},
		"a blank in query": {Scheme: "ws", Host: "example.com", RawQuery: "a b"},
		"# in query":       {Scheme: "ws", Host: "example.com", RawQuery: "a#b"},
		"user in the host": {Scheme: "ws", Host: "user@example.com"},
		"a path in host":   {Scheme: "ws", Host: "example.com/x"},
	} {
		if c, err := NewRequest(u, nil); c != nil || asError(t, err).Token != "bad_url" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadURLErrorHidesThePassword(t *testing.T) {
	_, err := NewRequest(&url.URL{Scheme: "ftp", Host: "example.com", User: url.UserPassword("u", "secret")}, nil)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is in the error: %v", err)
	}
}

func TestBadClientOptions(t *testing.T) {
	u := &url.URL{Scheme: "wss", Host: "example.com"}
	many := make([]string, maxSubprotocols+1)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	tests := map[string]ClientOptions{
		"empty subprotocol":          {Subprotocols: []string{""}},
		"subprotocol twice":          {Subprotocols: []string{"a", "b", "a"}},
		"subprotocol is a list":      {Subprotocols: []string{"a, b"}},
		"too many subprotocols":      {Subprotocols: many},
		"empty extension":            {Extensions: []Extension{{}}},
		"empty value":                {Extensions: []Extension{{Name: "a", Params: []Param{{Name: "b", HasValue: true}}}}},
		"too many extensions":        {Extensions: make([]Extension, maxExtensions+1)},
		"too many parameters":        {Extensions: []Extension{{Name: "a", Params: make([]Param, maxParams+1)}}},
		"Host in Header":             {Header: http.Header{"Host": {"x"}}},
		"host in lower case":         {Header: http.Header{"host": {"x"}}},
		"Upgrade":                    {Header: http.Header{"Upgrade": {"x"}}},
		"Connection":                 {Header: http.Header{"Connection": {"x"}}},
		"Sec-WebSocket-Key":          {Header: http.Header{"Sec-WebSocket-Key": {sampleKey}}},
		"Sec-WebSocket-Version":      {Header: http.Header{"Sec-Websocket-Version": {"8"}}},
		"Sec-WebSocket-Protocol":     {Header: http.Header{"SEC-WEBSOCKET-PROTOCOL": {"x"}}},
		"Sec-WebSocket-Extensions":   {Header: http.Header{"sec-websocket-extensions": {"x"}}},
		"Sec-WebSocket-anything":     {Header: http.Header{"Sec-Websocket-X": {"x"}}},
		"Content-Length":             {Header: http.Header{"Content-Length": {"1"}}},
		"Transfer-Encoding":          {Header: http.Header{"transfer-encoding": {"chunked"}}},
		"Trailer":                    {Header: http.Header{"Trailer": {"x"}}},
		"empty header name":          {Header: http.Header{"": {"x"}}},
		"Host is a URL":              {Host: "ws://example.com"},
		"a header name with a blank": {Header: http.Header{"X A": {"x"}}},
	}
	for name, o := range tests {
		if c, err := NewRequest(u, &o); c != nil || asError(t, err).Token != "bad_options" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAsManyOffersAsAreRead(t *testing.T) {
	u := &url.URL{Scheme: "wss", Host: "example.com"}
	names := make([]string, 64)
	for i := range names {
		names[i] = "p" + strconv.Itoa(i)
	}
	for _, tt := range []struct {
		name string
		o    *ClientOptions
	}{
		{"64 subprotocols", &ClientOptions{Subprotocols: names}},
		{"32 extensions", &ClientOptions{Extensions: slices.Repeat([]Extension{{Name: "x"}}, 32)}},
		{"32 parameters", &ClientOptions{Extensions: []Extension{{Name: "x", Params: slices.Repeat([]Param{{Name: "a"}}, 32)}}}},
	} {
		c, err := NewRequest(u, tt.o)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var p RequestReader
		if _, done, err := p.Feed(c.Append(nil)); !done || err != nil {
			t.Fatal(done, err)
		}
		if _, err := Accept(p.Request(), nil); err != nil {
			t.Errorf("%s: a server says %v", tt.name, err)
		}
	}
}

// A request keeps nothing that the caller may change afterwards.
func TestClientRequestIsIndependentOfItsOptions(t *testing.T) {
	o := &ClientOptions{Subprotocols: []string{"chat"}, Extensions: []Extension{{Name: "x"}}}
	c, err := NewRequest(&url.URL{Scheme: "wss", Host: "example.com"}, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Subprotocols[0], o.Extensions[0].Name = "soap", "y"
	head := string(c.Append(nil))
	key := head[strings.Index(head, "Sec-WebSocket-Key: ")+len("Sec-WebSocket-Key: "):][:24]
	resp := &http.Response{StatusCode: 101, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {AcceptKey(key)},
		"Sec-Websocket-Protocol": {"chat"}, "Sec-Websocket-Extensions": {"x"}}}
	if a, err := c.Check(resp); err != nil || a.Subprotocol != "chat" {
		t.Errorf("got %+v, %v", a, err)
	}
	if again := string(c.Append(nil)); again != head {
		t.Errorf("the request changed from %q to %q", head, again)
	}
}
