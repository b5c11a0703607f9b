package conntest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
)

var t *testing.T // the test's; set by TestTheExamplesWork

var ctx = context.Background()

// shout answers each message with an exclamation mark, a second later.
var shout = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, nil)
	if err != nil {
		return
	}
	_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error {
		time.Sleep(time.Second)
		return c.Write(ctx, m.Type, []byte(string(m.Data)+"!"))
	})
})

// A test of a handler in a testing/synctest bubble, where the handler's second passes at once.
func ExamplePipe() {
	synctest.Test(t, func(t *testing.T) {
		c := conntest.Pipe(t, shout, nil)
		if err := c.Write(ctx, conn.Text, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.Read(ctx); string(data) != "hello!" || err != nil {
			t.Errorf("%q, %v", data, err)
		}
		_ = c.Close(conn.StatusNormalClosure, "")
		const want = `client: GET / HTTP/1.1
server: HTTP/1.1 101 Switching Protocols
client: text "hello"
server: text "hello!"
client: close 1000 (normal closure)
server: close 1000 (normal closure)
`
		if got := c.Transcript(); got != want {
			t.Errorf("%s", got)
		}
	})
}

// Over TLS and a slow network: a latency of 40 ms in each direction, and 100 KB a second to the client.
func ExamplePipe_network() {
	synctest.Test(t, func(t *testing.T) {
		c := conntest.Pipe(t, shout, &conntest.Options{
			URL:      "wss://example.com/chat?room=1",
			Dial:     &conn.DialOptions{Subprotocols: []string{"chat"}},
			ToServer: conntest.Direction{Latency: 40 * time.Millisecond},
			ToClient: conntest.Direction{Latency: 40 * time.Millisecond, BytesPerSecond: 100_000},
		})
		c.ToClient.CutAfter(100, conntest.Silence) // the network goes silent 100 bytes later
	})
}

// A handshake that the handler refuses.
func ExampleDial() {
	synctest.Test(t, func(t *testing.T) {
		_, resp, err := conntest.Dial(t, shout, &conntest.Options{
			Dial: &conn.DialOptions{Header: http.Header{"Origin": {"https://elsewhere.example"}}},
		})
		if err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v, %v", resp, err)
		}
	})
}

// Several clients of one server, and code that calls conn.Dial itself.
func ExampleNewServer() {
	synctest.Test(t, func(t *testing.T) {
		s := conntest.NewServer(t, shout, nil)
		alice, bob := s.Connect("/?user=alice", nil), s.Connect("/?user=bob", nil)
		_, _ = alice, bob

		c, _, err := conn.Dial(ctx, s.URL, s.DialOptions(nil))
		if err != nil {
			t.Fatal(err)
		}
		s.Down(conntest.Reset) // the server's host is restarted
		if _, _, err := c.Read(ctx); conn.CloseStatus(err) != conn.StatusAbnormal {
			t.Error(err)
		}
		s.Up()
	})
}
