package conn

import (
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
	RoundTrip               time.Duration
}

// traffic counts messages. Its guard is that of the place where it lies.
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

// received counts a message. The counters learn of it when the input that is here has
// been handled: they cost more than a plain variable.
func (c *Conn) received(n int) { c.in.news.count(n) }

// publish adds what has been received to the counters. The read side's token is held.
func (c *Conn) publish() {
	news, n := &c.in.news, &c.num
	if news.messages != 0 || news.encoded != 0 {
		n.messagesIn.Add(news.messages)
		n.payloadIn.Add(news.payload)
		n.encodedIn.Add(news.encoded)
		*news = traffic{}
		c.liv.heard()
	}
}

// Stats returns the connection's counts. RoundTrip is that of the last ping that
// was answered, a keepalive's included; 0 if none was. The counts are read one by
// one, not at one instant; in Serve, what was received is counted when the input that is
// here has been handled.
func (c *Conn) Stats() Stats {
	in, out := c.t.Counts()
	s := Stats{
		MessagesIn: c.num.messagesIn.Load(), PayloadIn: c.num.payloadIn.Load(), EncodedIn: c.num.encodedIn.Load(),
		ControlIn: c.num.control.Load(), WireIn: in, WireOut: out,
		RoundTrip: time.Duration(c.png.rtt.Load()),
	}
	sent, pending := c.send.counts()
	s.MessagesOut, s.PayloadOut, s.EncodedOut = sent.Messages, sent.Payload, sent.Encoded
	s.ControlOut, s.Dropped, s.Pending = sent.Control, sent.Dropped, pending
	return s
}
