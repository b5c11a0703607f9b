package handshake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// goodAnswer is a response to sampleRequest as a ResponseReader makes it.
func goodAnswer() *http.Response {
	return &http.Response{
		Status: "101 Switching Protocols", StatusCode: 101, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {sampleAccept}},
	}
}

// fastwebsockets' client took any answer. Each row is one that must not do.
func TestEachUncheckedAnswerIsRefused(t *testing.T) {
	set := func(name string, values ...string) func(*http.Response) {
		return func(r *http.Response) { r.Header[name] = values }
	}
	remove := func(name string) func(*http.Response) { return func(r *http.Response) { delete(r.Header, name) } }
	tests := []struct {
		name   string
		change func(*http.Response)
		token  string
	}{
		{"status 200", func(r *http.Response) { r.StatusCode = 200 }, "bad_status"},
		{"HTTP/1.0", func(r *http.Response) { r.ProtoMinor = 0 }, "bad_http_version"},
		{"HTTP/2", func(r *http.Response) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, "bad_http_version"},
		{"no Upgrade", remove("Upgrade"), "bad_upgrade"},
		{"other Upgrade", set("Upgrade", "h2c"), "bad_upgrade"},
		{"Upgrade twice", set("Upgrade", "websocket", "websocket"), "bad_upgrade"},
		{"no Connection", remove("Connection"), "bad_connection"},
		{"other Connection", set("Connection", "keep-alive"), "bad_connection"},
		{"no accept key", remove("Sec-Websocket-Accept"), "bad_accept"},
		{"empty accept key", set("Sec-Websocket-Accept", ""), "bad_accept"},
		{"other accept key", set("Sec-Websocket-Accept", AcceptKey("x")), "bad_accept"},
		{"accept key twice", set("Sec-Websocket-Accept", sampleAccept, sampleAccept), "bad_accept"},
		{"other subprotocol", set("Sec-Websocket-Protocol", "soap"), "bad_subprotocol"},
		{"subprotocol twice", set("Sec-Websocket-Protocol", "chat", "chat"), "bad_subprotocol"},
		{"other extension", set("Sec-Websocket-Extensions", "x"), "bad_extensions"},
		{"extension twice", set("Sec-Websocket-Extensions", "permessage-deflate, permessage-deflate"), "bad_extensions"},
		{"malformed extension", set("Sec-Websocket-Extensions", "permessage-deflate;"), "bad_extensions"},
	}
	if _, err := sampleRequest().Check(goodAnswer()); err != nil {
		t.Fatalf("the good answer is refused: %v", err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := goodAnswer()
			tt.change(resp)
			a, err := sampleRequest().Check(resp)
			e := asError(t, err)
			if a != nil || e.Token != tt.token || e.Response != resp || e.Status != resp.StatusCode {
				t.Errorf("got %+v and %v with response %p, want %s", a, err, e.Response, tt.token)
			}
		})
	}
}

func TestRefusalsHintAtWhatToDo(t *testing.T) {
	tests := map[int]string{
		300: "wss://new.example/", 301: "wss://new.example/", 399: "wss://new.example/", 400: "path", 401: "credentials", 407: "credentials", 403: "Origin", 404: "path",
		429: "later", 503: "later", 500: "path",
	}
	for code, want := range tests {
		resp := &http.Response{StatusCode: code, Status: http.StatusText(code), ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Location": {"wss://new.example/"}}}
		_, err := sampleRequest().Check(resp)
		if e := asError(t, err); !strings.Contains(e.Error(), want) || e.Status != code {
			t.Errorf("%d: %q does not mention %q", code, e, want)
		}
	}
}

func TestNothingOfferedNothingAccepted(t *testing.T) {
	c := &ClientRequest{accept: sampleAccept}
	for name, value := range map[string]string{
		"Sec-Websocket-Protocol": "chat", "Sec-Websocket-Extensions": "permessage-deflate",
	} {
		resp := goodAnswer()
		resp.Header[name] = []string{value}
		if _, err := c.Check(resp); err == nil {
			t.Errorf("%s: %s is accepted", name, value)
		}
	}
}

func BenchmarkClient(b *testing.B) {
	u := &url.URL{Scheme: "wss", Host: "example.com", Path: "/chat"}
	resp := goodAnswer()
	dst := make([]byte, 0, 1024)
	b.Run("NewRequest", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := NewRequest(u, nil)
			if err != nil {
				b.Fatal(err)
			}
			c.Append(dst)
		}
	})
	b.Run("Check", func(b *testing.B) {
		c := sampleRequest()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Check(resp); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestARefusalsHintHidesCredentials of the Location that it quotes.
func TestARefusalsHintHidesCredentials(t *testing.T) {
	e := checkStatus(&http.Response{Status: "302 Found", StatusCode: 302, Header: http.Header{"Location": {"http://u:s3cret@host/?token=s3cret"}}})
	if e == nil || strings.Contains(e.Reason, "s3cret") || !strings.Contains(e.Reason, "host/") {
		t.Errorf("%v", e)
	}
}
