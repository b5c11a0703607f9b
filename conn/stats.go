package conn

import (
	"sync/atomic"
	"time"
)

// Stats are the counts of one connection since it was opened.
type Stats struct {
	MessagesIn, MessagesOut int64 // text and binary
	PayloadIn, PayloadOut   int64 // bytes of those messages
	ControlIn               int64 // close, ping and pong frames received
	WireIn, WireOut         int64 // bytes at the socket: frames, TLS and its handshake
	Pending                 int64 // bytes that wait for the peer to take them
	Dropped                 int64 // messages of Send that were given up; not in MessagesOut
	RoundTrip               time.Duration
}

// traffic counts messages. Its guard is that of the place where it lies.
type traffic struct{ messages, payload int64 }

func (n *traffic) count(bytes int) {
	n.messages++
	n.payload += int64(bytes)
}

func (n *traffic) uncount(bytes int) {
	n.messages--
	n.payload -= int64(bytes)
}

// counters are what reading adds to; what was sent is counted in the outbox.
type counters struct {
	messagesIn, payloadIn atomic.Int64
	control               atomic.Int64
}

// received counts a message. The counters learn of it when the input that is here has
// been handled: they cost more than a plain variable.
func (in *inbox) received(bytes int) { in.news.count(bytes) }

// add publishes what has been received.
func (n *counters) add(news *traffic) {
	if news.messages != 0 {
		n.messagesIn.Add(news.messages)
		n.payloadIn.Add(news.payload)
		*news = traffic{}
	}
}

// wrote counts a message that did not pass through gather.
func (o *outbox) wrote(bytes int) {
	o.mu.Lock()
	o.sentOut.count(bytes)
	o.mu.Unlock()
}

// unsent takes back a message of Send that was counted and is not sent after all. o.mu
// is held.
func (o *outbox) unsent(bytes int) {
	o.dropped++
	o.sentOut.uncount(bytes)
}

// Stats returns the connection's counts. RoundTrip is that of the last ping that
// was answered, a keepalive's included; 0 if none was. The counts are read one by
// one, not at one instant; in Serve, what was received is counted when the input that is
// here has been handled.
func (c *Conn) Stats() Stats {
	in, out := c.t.Counts()
	s := Stats{
		MessagesIn: c.num.messagesIn.Load(), PayloadIn: c.num.payloadIn.Load(),
		ControlIn: c.num.control.Load(), WireIn: in, WireOut: out,
		RoundTrip: time.Duration(c.png.rtt.Load()),
	}
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	s.MessagesOut, s.PayloadOut, s.Dropped = o.sentOut.messages, o.sentOut.payload, o.dropped
	s.Pending = o.depth(c.t)
	return s
}
