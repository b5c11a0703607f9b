package conn

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Stats are the counts of one connection since it was opened.
type Stats struct {
	MessagesIn, MessagesOut int64 // text and binary
	PayloadIn, PayloadOut   int64 // bytes of those messages, uncompressed
	EncodedIn, EncodedOut   int64 // bytes that they took in frames: less if compressed
	ControlIn, ControlOut   int64 // close, ping and pong frames
	WireIn, WireOut         int64 // bytes at the socket: frames, TLS and its handshake
	Pending                 int64 // bytes that wait for the peer to take them
	Dropped                 int64 // messages of Send that were given up; not in MessagesOut
	Replaced                int64 // messages of SendLatest whose place a later one has taken; not in MessagesOut
	RoundTrip               time.Duration
	HTTPVersion             string // see [Conn.HTTPVersion]; WireIn and WireOut are those of the stream if it is not "HTTP/1.1"
}

// traffic counts messages. Whoever holds it guards it.
type traffic struct{ messages, payload, encoded int64 }

// count adds a message of n bytes.
func (t *traffic) count(n int) {
	t.messages++
	t.payload += int64(n)
}

// counters are what reading adds to; what was sent is counted in the outbox.
type counters struct {
	messagesIn, payloadIn, encodedIn atomic.Int64
	control                          atomic.Int64
}

// received counts a message. The counters learn of it when the available input has
// been handled: they cost more than a plain variable.
func (c *Conn) received(n int) { c.in.uncounted.count(n) }

// publish adds what has been received to the counters. The read side's token is held.
func (c *Conn) publish() {
	news, n := &c.in.uncounted, &c.counters
	if news.messages != 0 || news.encoded != 0 {
		n.messagesIn.Add(news.messages)
		n.payloadIn.Add(news.payload)
		n.encodedIn.Add(news.encoded)
		*news = traffic{}
		c.keepalive.heard()
	}
}

// Stats returns the connection's counts. RoundTrip is that of the last ping that
// was answered, a keepalive's included; 0 if none was. The counts are read one by
// one, not at one instant; in Serve, what was received is counted when the input that is
// here has been handled.
func (c *Conn) Stats() Stats {
	in, out := c.transport.Counts()
	s := Stats{
		MessagesIn: c.counters.messagesIn.Load(), PayloadIn: c.counters.payloadIn.Load(), EncodedIn: c.counters.encodedIn.Load(),
		ControlIn: c.counters.control.Load(), WireIn: in, WireOut: out,
		RoundTrip: time.Duration(c.pings.rtt.Load()), HTTPVersion: c.HTTPVersion(),
	}
	sent, pending := c.send.counts()
	s.MessagesOut, s.PayloadOut, s.EncodedOut = sent.Messages, sent.Payload, sent.Encoded
	s.ControlOut, s.Dropped, s.Replaced, s.Pending = sent.Control, sent.Dropped, sent.Replaced, pending
	return s
}

// Observer is told what happens: the hook for metrics and traces. Its methods are called
// by the goroutine that does the work, by many at once, so they must be quick. Embed
// [NopObserver] to write only those that you need. What can be counted is counted already:
// see [Conn.Stats] and [Group.Stats]. [MessageIgnorer] and [RoundTripObserver] extend it. The packages below
// observe are observers for log/slog, expvar, Prometheus and OpenTelemetry.
//
// They may call any method of the connection and of its group, with three exceptions that return
// ErrInCallback at once: [Conn.Ping], [Conn.WaitDrained], and the waiting of [Group.Shutdown]. While Serve or ServeInBackground
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
	// Closed: the connection has ended; why.Code, why.Token and why.Err say how. c.Stats returns the final counts,
	// with one exception: if the connection is ended while Serve's callback runs, by CloseNow for example, messages of
	// the same read may be missing.
	Closed(c *Conn, why *CloseError)
}

// MessageIgnorer is an [Observer] whose MessageIn and MessageOut are not called if IgnoresMessages returns true, which saves
// some nanoseconds for each message. A connection calls IgnoresMessages once, before Opened. A type that embeds a
// MessageIgnorer and needs messages must override IgnoresMessages.
type MessageIgnorer interface {
	Observer
	// IgnoresMessages reports whether MessageIn and MessageOut need not be called.
	IgnoresMessages() bool
}

// RoundTripObserver is an [Observer] with one more method, which is called when a ping is answered.
type RoundTripObserver interface {
	Observer
	// RoundTrip: a ping of this side, sent by keepalive or [Conn.Ping], was answered after d; those of SendLatest do not
	// count, which measure whether the peer reads. Each call has its own goroutine, so RoundTrip may call Ping, and may run after Closed. A panic ends the program.
	RoundTrip(c *Conn, d time.Duration)
}

// NopObserver is an Observer that does nothing, to be embedded.
type NopObserver struct{}

// Opened does nothing.
func (NopObserver) Opened(*Conn) {}

// Refused does nothing.
func (NopObserver) Refused(*http.Request, *HandshakeError) {}

// MessageIn does nothing.
func (NopObserver) MessageIn(*Conn, MessageType, int) {}

// MessageOut does nothing.
func (NopObserver) MessageOut(*Conn, MessageType, int) {}

// Closed does nothing.
func (NopObserver) Closed(*Conn, *CloseError) {}
