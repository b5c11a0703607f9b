// Package conntest tests WebSocket handlers and clients without sockets: a real http.Handler behind a real http.Server,
// and a connected client of it, over a network in memory.
//
//	func TestEcho(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			c := conntest.Pipe(t, handler, nil)
//			…
//			c.Write(ctx, conn.Text, []byte("hello"))
//			…
//			golden.Check(t, c.Transcript())
//		})
//	}
//
// For most uses [Pipe] is all. [Dial] is for handshakes that are refused, [NewServer] for several clients of one server and
// for code that dials by itself.
//
// The network has a latency, a rate and a buffer of its own in each direction, and is cut when the test says so, at a byte
// or at once: see [Direction] and [Link]. Everything that happens is on the connection's way in production: net/http,
// conn.NewListener, crypto/tls if the URL says wss, and the opening handshake.
//
// # Tests with time
//
// In a testing/synctest bubble the network has the bubble's clock: latency is exact, and hours of keepalive pass in an
// instant. Call Pipe inside the bubble, with the bubble's t. Outside of a bubble everything works in real time.
//
// # The end of a test
//
// When the test ends, its connections are reset, the server is closed, and its handlers are waited for. A handler that
// does not return then, within ten seconds, fails the test.
package conntest
