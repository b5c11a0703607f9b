package conn

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFieldsThatMiddlewareHasSet: they go into the response that accepts, but for those that
// describe a body or are the handshake's, which would make it invalid or refuse it.
func TestFieldsThatMiddlewareHasSet(t *testing.T) {
	for _, tt := range []struct {
		name           string
		own, set, want http.Header
	}{
		{"nothing at all", nil, nil, nil},
		{"nothing of middleware", http.Header{"X-A": {"1"}}, http.Header{}, http.Header{"X-A": {"1"}}},
		{"nothing of the caller", nil, http.Header{"X-A": {"1", "2"}}, http.Header{"X-A": {"1", "2"}}},
		{"the caller's come first", http.Header{"X-A": {"own"}}, http.Header{"X-A": {"set"}, "X-B": {"set"}},
			http.Header{"X-A": {"own"}, "X-B": {"set"}}},
		{"cookies of both", http.Header{"Set-Cookie": {"own=1"}}, http.Header{"Set-Cookie": {"set=1", "set=2"}},
			http.Header{"Set-Cookie": {"own=1", "set=1", "set=2"}}},
		{"what describes a body", nil, http.Header{"Content-Type": {"text/html"}, "Content-Length": {"3"}, "Content-Encoding": {"gzip"},
			"Transfer-Encoding": {"chunked"}, "Trailer": {"X-A"}}, http.Header{}},
		{"what is the handshake's", nil, http.Header{"Connection": {"close"}, "Upgrade": {"h2c"}, "Sec-Websocket-Accept": {"x"},
			"Sec-Websocket-Protocol": {"chat"}, "Sec-Websocket-Extensions": {"x"}, "Sec-Websocket-Version": {"8"}, "Sec-Websocket-": {"x"}}, http.Header{}},
		{"in other cases", nil, http.Header{"content-type": {"text/html"}, "SEC-WEBSOCKET-PROTOCOL": {"chat"}, "upgrade": {"h2c"}, "x-a": {"1"}},
			http.Header{"X-A": {"1"}}},
		{"what only looks like it", nil, http.Header{"Content": {"1"}, "X-Content-Type-Options": {"nosniff"}, "Sec-Websocket": {"1"}, "X-Upgrade": {"1"}},
			http.Header{"Content": {"1"}, "X-Content-Type-Options": {"nosniff"}, "Sec-Websocket": {"1"}, "X-Upgrade": {"1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own := tt.own.Clone()
			if diff := cmp.Diff(tt.want, merged(tt.own, tt.set)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(own, tt.own); diff != "" {
				t.Errorf("the caller's header was changed:\n%s", diff)
			}
		})
	}
}

// TestMiddlewareCannotBreakTheHandshake: whatever it sets of the handshake's fields, a client
// connects.
func TestMiddlewareCannotBreakTheHandshake(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Sec-WebSocket-Accept": "x", "Sec-WebSocket-Protocol": "soap", "Sec-WebSocket-Extensions": "x", "Upgrade": "h2c",
			"Connection": "close", "Content-Length": "7", "Content-Type": "text/html", "X-Request-Id": "1",
		} {
			w.Header().Set(name, value)
		}
		echoHandler(&AcceptOptions{Subprotocols: []string{"chat"}}).ServeHTTP(w, r)
	})
	url, o := serve(t, h, false, true)
	o.Subprotocols = []string{"chat"}
	c, resp, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subprotocol() != "chat" || resp.Header.Get("X-Request-Id") != "1" || resp.Header["Content-Type"] != nil {
		t.Errorf("subprotocol %q, header %v", c.Subprotocol(), resp.Header)
	}
	_ = c.Close(StatusNormalClosure, "")
}
