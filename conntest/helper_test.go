package conntest

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/seed-c4549abd/wss/conn"
)

var bg = context.Background()

// echo returns a handler that echoes each message before it returns.
func echo(o *conn.AcceptOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, o); err == nil {
			_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
		}
	})
}

// echoInBackground returns a handler that echoes each message after it has returned.
func echoInBackground() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
		}
	})
}

// handler returns a handler that calls f with the server's connection, and closes it when f returns.
func handler(o *conn.AcceptOptions, f func(c *conn.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, o); err == nil {
			defer c.CloseNow()
			f(c)
		}
	})
}

// exchanged sends a text and returns the next message.
func exchanged(t testing.TB, c *Client, text string) string {
	t.Helper()
	if err := c.Write(bg, conn.Text, []byte(text)); err != nil {
		t.Fatalf("write: %v", err)
	}
	_, p, err := c.Read(bg)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(p)
}

// everyWay runs a test in a bubble: with and without TLS, with conn.Dial's TLS, with a stock listener, and without latency.
func everyWay(t *testing.T, f func(t *testing.T, o Options)) {
	for _, tt := range []struct {
		name string
		o    Options
	}{
		{"ws", Options{}},
		{"wss", Options{URL: "wss://example.com/chat"}},
		{"wss, no transcript", Options{URL: "wss://example.com/chat", NoTranscript: true}},
		{"wss, stock listener", Options{URL: "wss://example.com/chat", StockListener: true}},
		{"ws, no latency", Options{ToServer: Direction{Latency: -1}, ToClient: Direction{Latency: -1}}},
	} {
		t.Run(tt.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f(t, tt.o) }) })
	}
}

// acceptKey returns the Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
