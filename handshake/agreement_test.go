package handshake

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendResponse(t *testing.T) {
	const start = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + sampleAccept + "\r\n"
	tests := []struct {
		name string
		a    Agreement
		want string
	}{
		{"nothing negotiated", Agreement{}, start + "\r\n"},
		{"the sample of RFC 6455 §1.3", Agreement{Subprotocol: "chat"}, start + "Sec-WebSocket-Protocol: chat\r\n\r\n"},
		{"extensions", Agreement{Extensions: []Extension{{Name: "a"}, {Name: "b", Params: []Param{{Name: "c"}}}}},
			start + "Sec-WebSocket-Extensions: a, b; c\r\n\r\n"},
		{"further fields, sorted", Agreement{Header: http.Header{"X-B": {"3"}, "X-A": {"1", "2"}}},
			start + "X-A: 1\r\nX-A: 2\r\nX-B: 3\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.key = sampleKey
			if diff := cmp.Diff("before"+tt.want, string(tt.a.AppendResponse([]byte("before")))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
