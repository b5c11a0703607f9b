package conn

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/handshake"
)

func TestHeadLimits(t *testing.T) {
	for _, tt := range []struct {
		name     string
		maxBytes int
		answer   bool
		want     handshake.Limits
	}{
		{"a request, by default", 0, false, handshake.Limits{TotalBytes: 65536, Headers: 128}},
		{"an answer, by default", 0, true, handshake.Limits{TotalBytes: 65536, LineBytes: 65536, Headers: 128}},
		{"a negative bound is the default", math.MinInt, false, handshake.Limits{TotalBytes: 65536, Headers: 128}},
		{"a small head", 1000, false, handshake.Limits{TotalBytes: 1000, LineBytes: 1000, Headers: 128}},
		{"a large head", 1 << 20, false, handshake.Limits{TotalBytes: 1 << 20, LineBytes: 1 << 20, Headers: 2048}},
		{"no bound to speak of", math.MaxInt, true,
			handshake.Limits{TotalBytes: math.MaxInt, LineBytes: math.MaxInt, Headers: math.MaxInt / 512}},
	} {
		if got := headLimits(tt.maxBytes, tt.answer); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestLongFieldsPassWhereTheyAreAllowed: a long Content-Security-Policy in an answer, a long
// cookie in a request.
func TestLongFieldsPassWhereTheyAreAllowed(t *testing.T) {
	const accepted, refused = "", "header_too_large"
	for _, tt := range []struct {
		name            string
		field, most     int
		answer, upgrade string
	}{
		{"8,000 bytes, by default", 8000, 0, accepted, accepted},
		{"9,000 bytes, by default", 9000, 0, accepted, refused},
		{"60,000 bytes, by default", 60_000, 0, accepted, refused},
		{"70,000 bytes, by default", 70_000, 0, refused, refused},
		{"60,000 bytes, with a bound above", 60_000, 64 << 10, accepted, accepted},
		{"900,000 bytes, with a bound above", 900_000, 1 << 20, accepted, accepted},
		{"10,000 bytes, without a bound to speak of", 10_000, math.MaxInt, accepted, accepted},
		{"10,000 bytes, with a bound below", 10_000, 10_000, refused, refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			field := "X-Long: " + strings.Repeat("x", tt.field) + "\r\n"
			addr := answer(t, func(accept string) string {
				return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + field +
					"Sec-WebSocket-Accept: " + accept + "\r\n\r\n"
			})
			c, _, err := Dial(bg, "ws://"+addr, &DialOptions{MaxHeaderBytes: tt.most})
			if got := tokenOf(err); got != tt.answer {
				t.Errorf("Dial: %v, want %q", err, tt.answer)
			}
			if err == nil {
				_ = c.CloseNow()
			}

			addr, _ = native(t, false, &AcceptOptions{MaxHeaderBytes: tt.most})
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = io.WriteString(nc, strings.Replace(requestHead, "\r\n\r\n", "\r\n"+field+"\r\n", 1))
			want := map[string]string{accepted: "HTTP/1.1 101 ", refused: "HTTP/1.1 431 "}[tt.upgrade]
			got := make([]byte, len(want))
			if _, err := io.ReadFull(nc, got); string(got) != want || err != nil {
				t.Errorf("Upgrade: %q, %v, want %q", got, err, want)
			}
		})
	}
}

// TestManyFieldsPassWhereTheyAreAllowed: their number follows MaxHeaderBytes.
func TestManyFieldsPassWhereTheyAreAllowed(t *testing.T) {
	for _, tt := range []struct {
		fields, most int
		want         string
	}{{120, 0, ""}, {130, 0, "header_too_large"}, {1000, 1 << 20, ""}, {3000, 1 << 20, "header_too_large"}} {
		addr := answer(t, func(accept string) string {
			return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				strings.Repeat("A: b\r\n", tt.fields) + "Sec-WebSocket-Accept: " + accept + "\r\n\r\n"
		})
		c, _, err := Dial(bg, "ws://"+addr, &DialOptions{MaxHeaderBytes: tt.most})
		if got := tokenOf(err); got != tt.want {
			t.Errorf("%d fields, %d bytes at most: %v", tt.fields, tt.most, err)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
}

// tokenOf returns the token of a refused handshake, "" for none, and the text of any other
// error.
func tokenOf(err error) string {
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		return e.Token
	}
	if err != nil {
		return fmt.Sprint(err)
	}
	return ""
}
