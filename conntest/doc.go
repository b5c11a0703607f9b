// Package conntest tests WebSocket handlers and clients without sockets: it runs an http.Handler in an http.Server, and connects
// a client to it over a network in memory.
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
// For most uses [Pipe] is enough. [Dial] is for handshakes that are refused, [NewServer] for several clients of one server and
// for code that calls conn.Dial itself.
//
// Each direction of the network has a latency, a rate and a buffer, and the test can cut the network at once or at a given
// byte: see [Direction] and [Link]. Above the network a connection uses the code that it uses in production: net/http,
// conn.NewListener, crypto/tls if the scheme is wss, and the opening handshake.
//
// # Tests with time
//
// In a testing/synctest bubble the network uses the bubble's clock: latency is exact, and hours of keepalive pass at
// once. Call Pipe inside the bubble, with the bubble's t. Outside of a bubble the network works in real time.
//
// # The end of a test
//
// When the test ends, conntest closes the server, resets its connections, and waits for its handlers. A handler that does not
// return within ten seconds fails the test.
package conntest
