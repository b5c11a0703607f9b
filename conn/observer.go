package conn

import "net/http"

// Observer is told what happens: the hook for metrics and traces. Its methods are called
// by the goroutine that does the work, by many at once, so they must be quick. Embed
// [Unobserved] to write only those that you need. What can be counted is counted already:
// see [Conn.Stats] and [Group.Stats].
//
// They may call any method of the connection and of its group, with two exceptions that return
// ErrInCallback at once: [Conn.Ping], and the waiting of [Group.Shutdown]. While Serve or Go
// reads, reads return [ErrServing]. The library does not recover panics. A panic in Opened closes the
// connection; in Serve it has the effect of a panic of the callback; in a goroutine of
// the library it ends the program.
type Observer interface {
	// Opened: the opening handshake is accepted. A server sends its 101 response when
	// Opened returns, or 10 to 20 ms after the call if Opened takes longer; messages
	// written in Opened follow it. The connection joins its group after Opened returns.
	Opened(c *Conn)
	// Refused: a server has refused an opening handshake. r is never nil; if it could not be parsed,
	// it holds the remote address and the state of TLS only.
	Refused(r *http.Request, why *HandshakeError)
	// MessageIn: a message of size bytes, inflated, has been received.
	MessageIn(c *Conn, typ MessageType, size int)
	// MessageOut: a message of size bytes, before compression, is on its way: its
	// order among the others is settled, and the kernel may not have taken it yet.
	MessageOut(c *Conn, typ MessageType, size int)
	// Closed: the connection has ended; why.Code, why.Token and why.Err say how.
	Closed(c *Conn, why *CloseError)
}

// Unobserved is an Observer that does nothing, to be embedded.
type Unobserved struct{}

// Opened does nothing.
func (Unobserved) Opened(*Conn) {}

// Refused does nothing.
func (Unobserved) Refused(*http.Request, *HandshakeError) {}

// MessageIn does nothing.
func (Unobserved) MessageIn(*Conn, MessageType, int) {}

// MessageOut does nothing.
func (Unobserved) MessageOut(*Conn, MessageType, int) {}

// Closed does nothing.
func (Unobserved) Closed(*Conn, *CloseError) {}
