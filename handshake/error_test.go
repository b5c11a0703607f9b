package handshake

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errCause = errors.New("the cause")

func TestErrorText(t *testing.T) {
	tests := []struct {
		in   *Error
		want string
	}{
		{&Error{}, "websocket: handshake: refused"},
		{&Error{Status: 400, Token: "bad_key", Reason: "no key"}, "websocket: handshake: bad_key: no key (status 400)"},
		{&Error{Token: "bad_url", Reason: "no URL", Err: errCause}, "websocket: handshake: bad_url: no URL: the cause"},
		{&Error{Status: 403, Err: errCause}, "websocket: handshake: the cause (status 403)"},
		{&Error{Status: 401, Token: "login"}, "websocket: handshake: login: refused (status 401)"},
	}
	for _, tt := range tests {
		if got := tt.in.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if !errors.Is(&Error{Err: errCause}, errCause) {
		t.Error("the cause is not found")
	}
}

func TestRefusalResponse(t *testing.T) {
	const plain = "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
	tests := []struct {
		name string
		in   *Error
		want string
	}{
		{"zero", &Error{},
			"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n" + plain + "Content-Length: 10\r\n\r\nForbidden\n"},
		{"the reason is the body", &Error{Status: 400, Reason: "no key"},
			"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n" + plain + "Content-Length: 7\r\n\r\nno key\n"},
		{"the cause is nobody's business", &Error{Status: 403, Err: errCause},
			"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n" + plain + "Content-Length: 10\r\n\r\nForbidden\n"},
		{"nor is what is wrong with the server", &Error{Status: 500, Reason: "the pattern"},
			"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n" + plain + "Content-Length: 22\r\n\r\nInternal Server Error\n"},
		{"wrong method", refuseMethod("POST"),
			"HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nAllow: GET\r\n" + plain +
				"Content-Length: 69\r\n\r\nthe method is \"POST\", an opening handshake is a GET (RFC 6455 §4.1)\n"},
		{"upgrade required", &Error{Status: 426, Body: []byte{}},
			"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
				"Sec-WebSocket-Version: 13\r\n" + plain + "Content-Length: 0\r\n\r\n"},
		{"own body", &Error{Status: 401, Body: []byte("{}"), ContentType: "application/json",
			Header: http.Header{"WWW-Authenticate": {"Basic"}, "Set-Cookie": {"a=1", "b=2"}}},
			"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nWWW-Authenticate: Basic\r\n" +
				"Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 2\r\n\r\n{}"},
		{"a redirect", &Error{Status: 307, Body: []byte{}, Header: http.Header{"Location": {"/new"}}},
			"HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: /new\r\n" + plain + "Content-Length: 0\r\n\r\n"},
		{"several choices", &Error{Status: 300, Body: []byte{}},
			"HTTP/1.1 300 Multiple Choices\r\nConnection: close\r\n" + plain + "Content-Length: 0\r\n\r\n"},
		{"the last status of success is no refusal", &Error{Status: 299},
			"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n" + plain + "Content-Length: 22\r\n\r\nInternal Server Error\n"},
		{"success is no refusal", &Error{Status: 101},
			"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n" + plain + "Content-Length: 22\r\n\r\nInternal Server Error\n"},
		{"nor is what has no body", &Error{Status: 304, Reason: "unchanged"},
			"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n" + plain + "Content-Length: 22\r\n\r\nInternal Server Error\n"},
		{"a status without a name", &Error{Status: 599, Body: []byte{}},
			"HTTP/1.1 599 Status 599\r\nConnection: close\r\n" + plain + "Content-Length: 0\r\n\r\n"},
		{"nothing that splits the response", &Error{Status: 403, Body: []byte{}, ContentType: "a\r\nb", Header: http.Header{
			"X-A": {"a\r\nSet-Cookie: b", "fine"}, "X B": {"b"}, "X-C\r\n": {"c"}, "X-D": {"\x00"},
			"Content-Length": {"9"}, "transfer-encoding": {"chunked"}, "connection": {"keep-alive"}}},
			"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nX-A: fine\r\n" + plain + "Content-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(tt.in.AppendResponse([]byte("before ")))
			resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(strings.TrimPrefix(got, "before "))), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || int64(len(body)) != resp.ContentLength || !strings.HasSuffix(got, "\r\n\r\n"+string(body)) {
				t.Errorf("body %q of length %d, error %v", body, resp.ContentLength, err)
			}
			if !resp.Close {
				t.Error("the response does not close the connection")
			}
			if diff := cmp.Diff("before "+tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Behind net/http the refusal is the same, and the connection is closed by the
// server, not only by what it says.
func TestServeHTTPRefusesAndCloses(t *testing.T) {
	refusal := &Error{Status: 426, Token: "bad_version", Reason: "only 13",
		Header: http.Header{"X-A": {"1", "2"}}}
	server := httptest.NewServer(refusal)
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	all, err := io.ReadAll(c) // ends because the server closes
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(all, []byte("HTTP/1.1 ")); n != 1 {
		t.Errorf("%d responses, want 1:\n%s", n, all)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	raw, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(refusal.AppendResponse(nil))), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date")
	if diff := cmp.Diff(raw.Header, resp.Header); diff != "" {
		t.Errorf("the header differs from AppendResponse's (-raw +net/http):\n%s", diff)
	}
	if resp.StatusCode != 426 || string(body) != "only 13\n" || !resp.Close {
		t.Errorf("status %d, body %q, close %v", resp.StatusCode, body, resp.Close)
	}
}

// TestServeHTTPLeavesTheConnectionOfStreamsAlone: HTTP/2 has no fields about the connection
// (RFC 9113 §8.2.2), and net/http would end it, and all its streams, for Connection: close.
func TestServeHTTPLeavesTheConnectionOfStreamsAlone(t *testing.T) {
	refusals := make(chan *Error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := Accept(r, nil)
		e := asError(t, err)
		e.ServeHTTP(w, r)
		refusals <- e
	}))
	server.EnableHTTP2 = true
	var connections atomic.Int32
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	for range 3 {
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		e := <-refusals
		if resp.ProtoMajor != 2 || resp.StatusCode != 426 || string(body) != e.Reason+"\n" || !strings.Contains(e.Reason, "RFC 8441") {
			t.Errorf("%s %s: %q", resp.Proto, resp.Status, body)
		}
		if resp.Header["Connection"] != nil || resp.Header["Upgrade"] != nil || resp.Header.Get("Sec-WebSocket-Version") != "13" {
			t.Errorf("header %v", resp.Header)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for three requests", n)
	}
	for _, r := range []*http.Request{nil, {ProtoMajor: 1, ProtoMinor: 1}} {
		w := httptest.NewRecorder()
		refuseVersion("HTTP/1.0").ServeHTTP(w, r)
		if got := w.Header()["Connection"]; len(got) != 2 || got[0] != "close" || got[1] != "Upgrade" {
			t.Errorf("Connection %q in HTTP/1", got)
		}
	}
}

// TestAnotherVersionIsAnsweredWithWhatToDo: nginx speaks HTTP/1.0 to a server unless it is
// told otherwise, and nobody sees why.
func TestAnotherVersionIsAnsweredWithWhatToDo(t *testing.T) {
	for proto, want := range map[string]string{
		"HTTP/1.0": "proxy_http_version 1.1", "HTTP/2.0": "ALPN", "HTTP/3.0": "use HTTP/1.1", "HTTP/0.9": "use HTTP/1.1",
	} {
		answer := string(refuseVersion(proto).AppendResponse(nil))
		if !strings.HasPrefix(answer, "HTTP/1.1 426 Upgrade Required\r\n") || !strings.Contains(answer, "\r\nUpgrade: websocket\r\n") ||
			!strings.Contains(answer, proto) || !strings.Contains(answer, want) {
			t.Errorf("%s is answered\n%s", proto, answer)
		}
	}
}

func TestQuoteIsShortAndPlain(t *testing.T) {
	if got, want := quote("a\r\n\x00\"ä"), `"a\r\n\x00\"\u00e4"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := quote(strings.Repeat("a", 64)), `"`+strings.Repeat("a", 64)+`"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := quote(strings.Repeat("a", 65)), `"`+strings.Repeat("a", 64)+`"…`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func BenchmarkRefusal(b *testing.B) {
	refusal := refuseMethod("POST")
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		refusal.AppendResponse(dst)
	}
}
