package handshake

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// extendedConnect returns a request as net/http makes it of an extended CONNECT over HTTP/2.
func extendedConnect() *http.Request {
	return &http.Request{
		Method: http.MethodConnect, Proto: "HTTP/2.0", ProtoMajor: 2, Host: "example.com", URL: &url.URL{Path: "/chat"}, RequestURI: "/chat",
		Header: http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}, ContentLength: -1, Body: io.NopCloser(strings.NewReader("")),
	}
}

func TestAcceptOfAStream(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		token  string // empty: accepted
		status int
	}{
		{"as RFC 8441 §5.1 has it", func(*http.Request) {}, "", 0},
		{"over HTTP/3, as quic-go has it", func(r *http.Request) {
			delete(r.Header, ":protocol")
			r.Proto, r.ProtoMajor = "websocket", 3
		}, "", 0},
		{"a protocol in capitals", func(r *http.Request) { r.Header[":protocol"] = []string{"WebSocket"} }, "", 0},
		{"a key that a proxy has left", func(r *http.Request) { r.Header["Sec-Websocket-Key"] = []string{"x", "y"} }, "", 0},
		{"another protocol", func(r *http.Request) { r.Header[":protocol"] = []string{"connect-udp"} }, "bad_protocol", 501},
		{"no protocol", func(r *http.Request) { delete(r.Header, ":protocol") }, "bad_http_version", 426},
		{"over HTTP/1.1, which has no pseudo-headers", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1 }, "bad_method", 405},
		{"a GET", func(r *http.Request) { r.Method = http.MethodGet }, "bad_http_version", 426},
		{"a host that is none", func(r *http.Request) { r.Host = "a b" }, "bad_host", 400},
		{"no version", func(r *http.Request) { delete(r.Header, "Sec-Websocket-Version") }, "missing_version", 400},
		{"a foreign origin", func(r *http.Request) { r.Header["Origin"] = []string{"https://example.org"} }, "origin", 403},
		{"a length", func(r *http.Request) { r.Header["Content-Length"] = []string{"5"} }, "unexpected_body", 400},
		{"a length that is known otherwise", func(r *http.Request) { r.ContentLength = 5 }, "unexpected_body", 400},
		{"the end of the stream", func(r *http.Request) { r.ContentLength = 0 }, "unexpected_end", 400},
		{"no body", func(r *http.Request) { r.Body = nil }, "unexpected_end", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := extendedConnect()
			tt.change(r)
			a, err := Accept(r, nil)
			if tt.token == "" {
				if err != nil || !a.IsStream() {
					t.Fatalf("%+v, %v", a, err)
				}
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Token != tt.token || e.Status != tt.status {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheResponseOfAStream(t *testing.T) {
	r := extendedConnect()
	r.Header["Sec-Websocket-Protocol"] = []string{"a, b"}
	r.Header["Sec-Websocket-Extensions"] = []string{"x"}
	a, err := Accept(r, &ServerOptions{
		Subprotocols: []string{"b"}, Header: http.Header{"set-cookie": {"c=d"}}, Extensions: func(offers []Extension) []Extension { return offers },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"Sec-Websocket-Protocol": {"b"}, "Sec-Websocket-Extensions": {"x"}, "Set-Cookie": {"c=d"}}
	if diff := cmp.Diff(want, a.StreamHeader()); diff != "" {
		t.Error(diff)
	}
}

// TestTheKeyOfAStream is answered, for Node.js 26. One that is not valid is left alone.
func TestTheKeyOfAStream(t *testing.T) {
	for _, tt := range []struct {
		keys []string
		want http.Header
	}{
		{nil, http.Header{}},
		{[]string{sampleKey}, http.Header{"Sec-Websocket-Accept": {sampleAccept}}},
		{[]string{sampleKey, sampleKey}, http.Header{}},
		{[]string{"x"}, http.Header{}},
	} {
		r := extendedConnect()
		r.Header["Sec-Websocket-Key"] = tt.keys
		a, err := Accept(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, a.StreamHeader()); diff != "" {
			t.Errorf("%q: %s", tt.keys, diff)
		}
	}
}

func TestTheRequestOfAStream(t *testing.T) {
	u := &url.URL{Scheme: "wss", Host: "example.com:443", Path: "/", User: url.UserPassword("u", "p")}
	c, err := NewRequest(u, &ClientOptions{Subprotocols: []string{"a", "b"}, Extensions: []Extension{{Name: "x"}}, Header: http.Header{"origin": {"o"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"a, b"}, "Sec-Websocket-Extensions": {"x"}, "Origin": {"o"},
		"Authorization": {"Basic dTpw"},
	}
	if diff := cmp.Diff(want, c.StreamHeader()); diff != "" || c.Host() != "example.com" {
		t.Error(diff, c.Host())
	}
	plain, err := NewRequest(&url.URL{Scheme: "wss", Host: "example.com", User: url.User("u")}, nil)
	if err != nil || plain.StreamHeader().Get("Authorization") != "Basic dTo=" {
		t.Errorf("%v, %v", plain.StreamHeader(), err)
	}
}

func TestCheckStream(t *testing.T) {
	c, err := NewRequest(&url.URL{Scheme: "wss", Host: "example.com"}, &ClientOptions{Subprotocols: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		token  string
	}{
		{"200", 200, nil, ""},
		{"204", 204, nil, ""},
		{"a subprotocol", 200, http.Header{"Sec-Websocket-Protocol": {"a"}}, ""},
		{"101", 101, nil, "bad_status"},
		{"a redirect", 302, http.Header{"Location": {"/"}}, "bad_status"},
		{"403", 403, nil, "bad_status"},
		{"a subprotocol that was not offered", 200, http.Header{"Sec-Websocket-Protocol": {"b"}}, "bad_subprotocol"},
		{"an extension that was not offered", 200, http.Header{"Sec-Websocket-Extensions": {"x"}}, "bad_extensions"},
		{"extensions that are none", 200, http.Header{"Sec-Websocket-Extensions": {"="}}, "bad_extensions"},
	} {
		resp := &http.Response{StatusCode: tt.status, Status: http.StatusText(tt.status), Header: tt.header}
		_, err := c.CheckStream(resp)
		e, _ := errors.AsType[*Error](err)
		switch {
		case tt.token == "" && err != nil, tt.token != "" && (e == nil || e.Token != tt.token || e.Status != tt.status || e.Response != resp):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
