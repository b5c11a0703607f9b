package handshake

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goodHandshake is a request as net/http hands it over.
func goodHandshake() *http.Request {
	return &http.Request{
		Method: "GET", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "server.example.com",
		URL: &url.URL{Path: "/"}, Body: http.NoBody,
		Header: http.Header{
			"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
			"Sec-Websocket-Key": {sampleKey}, "Sec-Websocket-Version": {"13"},
		},
	}
}

func TestEachRequiredFieldMissingDuplicatedOrMisspelt(t *testing.T) {
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	remove := func(name string) func(*http.Request) { return func(r *http.Request) { delete(r.Header, name) } }
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
		token  string
	}{
		{"nothing is wrong", func(*http.Request) {}, 0, ""},
		{"method", func(r *http.Request) { r.Method = "POST" }, 405, "bad_method"},
		{"no method", func(r *http.Request) { r.Method = "" }, 405, "bad_method"},
		{"HTTP/1.0", func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }, 426, "bad_http_version"},
		{"HTTP/2", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0 }, 426, "bad_http_version"},
		{"CONNECT in HTTP/2", func(r *http.Request) {
			r.Method, r.Proto, r.ProtoMajor, r.ProtoMinor = "CONNECT", "HTTP/2.0", 2, 0
		}, 426, "bad_http_version"},
		{"HTTP/1.2", func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.2", 2 }, 0, ""},
		{"empty host", func(r *http.Request) { r.Host = "" }, 0, ""},
		{"malformed host", func(r *http.Request) { r.Host = "a b" }, 400, "bad_host"},
		{"chunked body", func(r *http.Request) { r.TransferEncoding, r.ContentLength = []string{"chunked"}, -1 }, 400, "unexpected_body"},
		{"body", func(r *http.Request) { r.ContentLength = 1 }, 400, "unexpected_body"},
		{"body of unknown length", func(r *http.Request) { r.ContentLength = -1 }, 400, "unexpected_body"},
		{"Content-Length of zeros", set("Content-Length", "0", "000"), 0, ""},
		{"Content-Length in the map only", set("Content-Length", "7"), 400, "unexpected_body"},
		{"no Upgrade", remove("Upgrade"), 426, "missing_upgrade"},
		{"other Upgrade", set("Upgrade", "websockets"), 426, "bad_upgrade"},
		{"Upgrade twice", set("Upgrade", "websocket", "websocket"), 0, ""},
		{"no Connection", remove("Connection"), 426, "missing_connection"},
		{"other Connection", set("Connection", "keep-alive"), 426, "bad_connection"},
		{"Connection twice", set("Connection", "keep-alive", "Upgrade"), 0, ""},
		{"no key", remove("Sec-Websocket-Key"), 400, "missing_key"},
		{"key twice", set("Sec-Websocket-Key", sampleKey, sampleKey), 400, "bad_key"},
		{"short key", set("Sec-Websocket-Key", "AAAA"), 400, "bad_key"},
		{"no version", remove("Sec-Websocket-Version"), 400, "missing_version"},
		{"version twice", set("Sec-Websocket-Version", "13", "13"), 400, "bad_version"},
		{"version 12", set("Sec-Websocket-Version", "12"), 426, "bad_version"},
		{"version 14", set("Sec-Websocket-Version", "14"), 426, "bad_version"},
		{"empty version", set("Sec-Websocket-Version", ""), 426, "bad_version"},
		{"other origin", set("Origin", "https://evil.example"), 403, "origin"},
		{"origin twice", set("Origin", "https://a", "https://a"), 400, "bad_origin"},
		{"empty subprotocols", set("Sec-Websocket-Protocol", "", "a,,b"), 0, ""},
		{"a subprotocol twice", set("Sec-Websocket-Protocol", "a", "b,a"), 400, "bad_subprotocol"},
		{"empty extensions", set("Sec-Websocket-Extensions", "", ","), 0, ""},
		{"malformed extension", set("Sec-Websocket-Extensions", "a;"), 400, "bad_extensions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodHandshake()
			tt.change(r)
			a, err := Accept(r, nil)
			if tt.status == 0 {
				if err != nil || a == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			e := asError(t, err)
			if e.Status != tt.status || e.Token != tt.token || a != nil {
				t.Errorf("got %v, want %d %s", err, tt.status, tt.token)
			}
			response := string(e.AppendResponse(nil))
			tellsVersion := tt.status == 426 || tt.token == "missing_version" || tt.token == "bad_version"
			if tellsVersion != strings.Contains(response, "Sec-WebSocket-Version: 13\r\n") {
				t.Errorf("the version in the response is not as it should be:\n%s", response)
			}
			if (tt.status == 426) != strings.Contains(response, "Upgrade: websocket\r\n") {
				t.Errorf("Upgrade in the response is not as it should be:\n%s", response)
			}
		})
	}
}

func TestSubprotocolSelection(t *testing.T) {
	var saw []string
	choose := func(name string, err error) func(*http.Request, []string) (string, error) {
		return func(_ *http.Request, offered []string) (string, error) {
			saw = offered
			return name, err
		}
	}
	teapot := &Error{Status: 418, Token: "teapot"}
	tests := []struct {
		name    string
		offered []string
		o       ServerOptions
		want    string
		status  int
	}{
		{"none offered", nil, ServerOptions{Subprotocols: []string{"a"}}, "", 0},
		{"none spoken", []string{"a"}, ServerOptions{}, "", 0},
		{"the server prefers", []string{"a, b", "c"}, ServerOptions{Subprotocols: []string{"x", "c", "a"}}, "c", 0},
		{"the function prefers", []string{"a, b"}, ServerOptions{Subprotocols: []string{"a"}, SelectSubprotocol: choose("b", nil)}, "b", 0},
		{"the function wants none", []string{"a"}, ServerOptions{SelectSubprotocol: choose("", nil)}, "", 0},
		{"the function is asked without offers", nil, ServerOptions{SelectSubprotocol: choose("", errCause)}, "", 403},
		{"the function makes one up", []string{"a"}, ServerOptions{SelectSubprotocol: choose("b", nil)}, "", 500},
		{"the function refuses", []string{"a"}, ServerOptions{SelectSubprotocol: choose("a", errCause)}, "", 403},
		{"the function refuses in its own way", []string{"a"}, ServerOptions{SelectSubprotocol: choose("a", teapot)}, "", 418},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodHandshake()
			if tt.offered != nil {
				r.Header["Sec-Websocket-Protocol"] = tt.offered
			}
			saw = nil
			a, err := Accept(r, &tt.o)
			if tt.status != 0 {
				if e := asError(t, err); e.Status != tt.status {
					t.Errorf("got %v, want status %d", err, tt.status)
				}
				return
			}
			if err != nil || a.Subprotocol != tt.want {
				t.Errorf("got %+v, %v; want %q", a, err, tt.want)
			}
			if tt.o.SelectSubprotocol != nil && strings.Join(saw, ", ") != strings.Join(tt.offered, ", ") {
				t.Errorf("the function saw %q, offered were %q", saw, tt.offered)
			}
		})
	}
}

func TestExtensionNegotiation(t *testing.T) {
	const offer = "permessage-deflate; client_max_window_bits, permessage-deflate, x-mux"
	pmd := Extension{Name: "permessage-deflate", Params: []Param{{Name: "client_max_window_bits", Value: "12", HasValue: true}}}
	tests := []struct {
		name     string
		accepted []Extension
		status   int
	}{
		{"none", nil, 0},
		{"one, with parameters", []Extension{pmd}, 0},
		{"two", []Extension{{Name: "x-mux"}, pmd}, 0},
		{"not offered", []Extension{{Name: "x-other"}}, 500},
		{"in another case", []Extension{{Name: "X-Mux"}}, 500},
		{"twice", []Extension{pmd, pmd}, 500},
		{"no name", []Extension{{}}, 500},
		{"splits the response", []Extension{{Name: "x-mux", Params: []Param{{Name: "a", Value: "b\r\nSet-Cookie: c", HasValue: true}}}}, 500},
		{"an empty value", []Extension{{Name: "x-mux", Params: []Param{{Name: "a", HasValue: true}}}}, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodHandshake()
			r.Header["Sec-Websocket-Extensions"] = []string{offer}
			a, err := Accept(r, &ServerOptions{Extensions: func(offers []Extension) []Extension {
				if got := string(AppendExtensions(nil, offers)); got != offer {
					t.Errorf("offered were %q, want %q", got, offer)
				}
				return tt.accepted
			}})
			if tt.status != 0 {
				if e := asError(t, err); e.Status != tt.status || e.Token != "server_bug" {
					t.Errorf("got %v, want status %d", err, tt.status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.accepted, a.Extensions); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("not asked without offers", func(t *testing.T) {
		a, err := Accept(goodHandshake(), &ServerOptions{Extensions: func([]Extension) []Extension {
			t.Error("asked")
			return nil
		}})
		if err != nil || a.Extensions != nil {
			t.Errorf("got %+v, %v", a, err)
		}
	})
}

func TestCheckMayRefuse(t *testing.T) {
	login := &Error{Status: 401, Token: "login", Header: http.Header{"WWW-Authenticate": {"Basic"}}}
	tests := []struct {
		name   string
		err    error
		status int
		token  string
	}{
		{"as it says", login, 401, "login"},
		{"wrapped", errors.Join(errors.New("context"), login), 401, "login"},
		{"any other error", errCause, 403, "rejected"},
		{"a nil of the right type", (*Error)(nil), 403, "rejected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Accept(goodHandshake(), &ServerOptions{Check: func(*http.Request) error { return tt.err }})
			if e := asError(t, err); e.Status != tt.status || e.Token != tt.token || e.Error() == "" {
				t.Errorf("got %v, want %d %s", err, tt.status, tt.token)
			}
		})
	}
	t.Run("or not", func(t *testing.T) {
		asked := false
		_, err := Accept(goodHandshake(), &ServerOptions{Check: func(*http.Request) error { asked = true; return nil }})
		if err != nil || !asked {
			t.Errorf("error %v, asked %v", err, asked)
		}
	})
	t.Run("but is not asked about another origin", func(t *testing.T) {
		r := goodHandshake()
		r.Header["Origin"] = []string{"https://evil.example"}
		Accept(r, &ServerOptions{Check: func(*http.Request) error { t.Error("asked"); return nil }})
	})
}

func TestServerHeaderIsChecked(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		ok     bool
	}{
		{"cookies", http.Header{"Set-Cookie": {"a=1", "b=2"}}, true},
		{"nil", nil, true},
		{"empty value", http.Header{"X-A": {""}}, true},
		{"CR LF", http.Header{"X-A": {"a\r\nSet-Cookie: b"}}, false},
		{"LF", http.Header{"X-A": {"a\nb"}}, false},
		{"NUL", http.Header{"X-A": {"a\x00"}}, false},
		{"CR LF in a name", http.Header{"X-A: b\r\nX-C": {"d"}}, false},
		{"empty name", http.Header{"": {"d"}}, false},
		{"Sec-WebSocket-Accept", http.Header{"Sec-WebSocket-Accept": {"x"}}, false},
		{"in lower case", http.Header{"sec-websocket-protocol": {"x"}}, false},
		{"Upgrade", http.Header{"Upgrade": {"h2c"}}, false},
		{"Content-Length", http.Header{"Content-Length": {"3"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Accept(goodHandshake(), &ServerOptions{Header: tt.header})
			if (err == nil) != tt.ok {
				t.Errorf("error %v, want ok = %v", err, tt.ok)
			}
			if err != nil && asError(t, err).Status != 500 {
				t.Errorf("got %v, want status 500", err)
			}
		})
	}
}

// Both sides of this package must understand each other, and so must net/http.
func TestClientAndServerAgree(t *testing.T) {
	u := &url.URL{Scheme: "wss", Host: "server.example.com", Path: "/chat"}
	pmd := []Extension{{Name: "permessage-deflate", Params: []Param{{Name: "client_max_window_bits"}}}}
	c, err := NewRequest(u, &ClientOptions{Subprotocols: []string{"soap", "chat"}, Extensions: pmd,
		Header: http.Header{"Origin": {"https://server.example.com"}, "Cookie": {"a=1"}}})
	if err != nil {
		t.Fatal(err)
	}
	var in RequestReader
	if _, done, err := in.Feed(c.Append(nil)); !done || err != nil {
		t.Fatal(done, err)
	}
	std, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(c.Append(nil)))))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*http.Request{in.Request(), std} {
		a, err := Accept(r, &ServerOptions{Subprotocols: []string{"chat"}, Extensions: func(o []Extension) []Extension { return o },
			Header: http.Header{"Set-Cookie": {"b=2"}}})
		if err != nil {
			t.Fatal(err)
		}
		var out ResponseReader
		if _, done, err := out.Feed(a.AppendResponse(nil)); !done || err != nil {
			t.Fatal(done, err)
		}
		b, err := c.Check(out.Response())
		if err != nil {
			t.Fatal(err)
		}
		if b.Subprotocol != "chat" || a.Subprotocol != "chat" || !slices.Equal(b.Header["Set-Cookie"], []string{"b=2"}) {
			t.Errorf("server %+v, client %+v", a, b)
		}
		if diff := cmp.Diff(pmd, b.Extensions); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	plain := goodHandshake()
	browser := goodHandshake()
	browser.Header["Origin"] = []string{"https://server.example.com"}
	browser.Header["Sec-Websocket-Extensions"] = []string{"permessage-deflate; client_max_window_bits"}
	browser.Header["Sec-Websocket-Protocol"] = []string{"chat, superchat"}
	o := &ServerOptions{Subprotocols: []string{"chat"}}
	dst := make([]byte, 0, 1024)
	for name, r := range map[string]*http.Request{"plain": plain, "browser": browser} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a, err := Accept(r, o)
				if err != nil {
					b.Fatal(err)
				}
				a.AppendResponse(dst)
			}
		})
	}
}
