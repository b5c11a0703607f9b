// Package conn is the WebSocket connection (RFC 6455): dialing, accepting,
// messages, control frames and closing, over TLS or without.
//
// For most uses, a server calls [Accept] in an http.Handler and a client calls
// [Dial]; both get a [*Conn], whose Read and Write carry whole messages. A server
// with many connections wraps its listener once:
//
//	srv.ServeTLS(conn.NewListener(ln), "", "")
//
// With it the connection owns the layer between crypto/tls and the socket: it
// holds no buffer while idle, sends many messages in one system call, and stays
// usable when a call is cancelled. Without it everything works; see [NewListener]
// for what is lost.
//
// # Contexts
//
// Every call that may wait takes a context, but for [Conn.Close], which CloseTimeout bounds; and a read
// that finds the end of the stream may take a second longer, for answers that are being sent. When it ends,
// the call returns its error and the connection stays usable: a message that was half received is
// kept for the next read, and a message of which nothing was sent is forgotten.
// Only where a frame was cut in half does more happen, and *[InterruptedError]
// says what.
//
// # When messages are sent
//
// [Conn.Write], [MessageWriter.Flush] and [MessageWriter.Close] return when the kernel
// has taken what they were given. In the callback of [Conn.Serve] or [Conn.ServeInBackground], and in
// [Conn.Cork], Write of up to 16 KiB does not wait. What is written there is buffered while more input is
// available, or until Cork returns; and sent when 68 KiB are buffered, at [Conn.Flush], and after ten to twenty
// milliseconds at the latest. [Conn.Send] gives the kernel what it takes at once and queues the rest.
// Messages are always sent in the order in which one goroutine wrote them.
//
// # Concurrency
//
// All methods may be called by any number of goroutines. Reads take turns, and
// so do writes; writes that meet share system calls. Control frames are handled
// while a read is in progress, so every connection needs a reader: one that is
// not interested in messages calls [Conn.CloseRead].
//
// # Tests with time
//
// In a testing/synctest bubble connections work over [net.Pipe], with all their timers,
// and share none with connections elsewhere: hours of keepalive pass in an instant.
//
// # Errors
//
// A connection ends once, and from then on every call that needs it returns the same
// *[CloseError], which says with which status code, by whom and why. [Conn.Close] then
// returns nil if the closing handshake went well, and [Conn.CloseNow] net.ErrClosed.
package conn
