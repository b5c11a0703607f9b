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

type counters struct {
	messagesIn, messagesOut atomic.Int64
	payloadIn, payloadOut   atomic.Int64
	control                 atomic.Int64
	dropped                 atomic.Int64
}

func (n *counters) received(bytes int) {
	n.messagesIn.Add(1)
	n.payloadIn.Add(int64(bytes))
}

// unsent takes back a message of Send that was counted and is not sent after all.
func (n *counters) unsent(bytes int) {
	n.dropped.Add(1)
	n.messagesOut.Add(-1)
	n.payloadOut.Add(-int64(bytes))
}

func (n *counters) wrote(bytes int) {
	n.messagesOut.Add(1)
	n.payloadOut.Add(int64(bytes))
}

// Stats returns the connection's counts. RoundTrip is that of the last ping that
// was answered, a keepalive's included; 0 if none was. The counts are read one by
// one, not at one instant.
func (c *Conn) Stats() Stats {
	in, out := c.t.Counts()
	c.out.mu.Lock()
	pending := c.out.depth(c.t)
	c.out.mu.Unlock()
	return Stats{
		MessagesIn: c.num.messagesIn.Load(), MessagesOut: c.num.messagesOut.Load(),
		PayloadIn: c.num.payloadIn.Load(), PayloadOut: c.num.payloadOut.Load(),
		ControlIn: c.num.control.Load(), WireIn: in, WireOut: out,
		Pending: pending, Dropped: c.num.dropped.Load(), RoundTrip: time.Duration(c.png.rtt.Load()),
	}
}
