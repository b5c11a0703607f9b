package suite

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// The payloads of fragments in this group, as the original has them.
const (
	one       = "fragment1"
	two       = "fragment2"
	three     = "fragment3"
	four      = "fragment4"
	five      = "fragment5"
	between   = "ping payload"
	unstarted = "non-continuation payload"
)

// fragments is group 5: messages in fragments, with control frames between them (RFC 6455 §5.4).
func fragments() []Case {
	fragmentedControl := func(o frame.Opcode) []Frame {
		return []Frame{{Opcode: o, Payload: one, More: true}, last(two)}
	}
	halves := func() []Frame { return []Frame{first(one), last(two)} }
	withPing := func() []Frame { return []Frame{first(one), ping(between), last(two)} }
	nothing := func(more bool) []Frame { return []Frame{{Payload: unstarted, More: more}, text(hello)} }
	twice := func(more bool) []Frame {
		once := []Frame{{Payload: one, More: more}, first(two), last(three)}
		return append(once, once...)
	}
	unstartedAfter := rejected("5.15", "A text message in two fragments, a continuation without FIN of nothing, a text message.",
		first(one), last(two), middle(three), text(four))
	unstartedAfter.Outcomes = okOrNothing(message(one + two))
	unstartedAfter.Expectation = "The first message comes back (not strictly: it need not); then the connection is failed with 1002."

	const (
		pingNote  = "A ping in two fragments: control frames must not be fragmented (RFC 6455 §5.5)."
		pongNote  = "A pong in two fragments: control frames must not be fragmented (RFC 6455 §5.5)."
		finNote   = "A continuation with FIN of nothing, a text message"
		noFinNote = "A continuation without FIN of nothing, a text message"
	)
	return []Case{
		rejected("5.1", pingNote, fragmentedControl(frame.Ping)...),
		rejected("5.2", pongNote, fragmentedControl(frame.Pong)...),
		joined("5.3", "A text message in two fragments.", halves()...),
		joined("5.4", "A text message in two fragments, each written by itself.", apart(halves()...)...),
		joined("5.5", "A text message in two fragments, written octet by octet.", chopped(halves()...)...),
		joinedWithPong("5.6", "A text message in two fragments, a ping between them.", withPing()...),
		joinedWithPong("5.7", "A text message in two fragments, a ping between them, each written by itself.", apart(withPing()...)...),
		joinedWithPong("5.8", "A text message in two fragments, a ping between them, written octet by octet.", chopped(withPing()...)...),
		rejected("5.9", finNote+", written at once.", nothing(false)...),
		rejected("5.10", finNote+", each written by itself.", apart(nothing(false)...)...),
		rejected("5.11", finNote+", written octet by octet.", chopped(nothing(false)...)...),
		rejected("5.12", noFinNote+", written at once.", nothing(true)...),
		rejected("5.13", noFinNote+", each written by itself.", apart(nothing(true)...)...),
		rejected("5.14", noFinNote+", written octet by octet.", chopped(nothing(true)...)...),
		unstartedAfter,
		rejected("5.16", "Twice: a continuation without FIN of nothing, a text message in two fragments.", twice(true)...),
		rejected("5.17", "Twice: a continuation with FIN of nothing, a text message in two fragments.", twice(false)...),
		rejected("5.18", "A text message in two fragments that both say text.", first(one), text(two)),
		interrupted("5.19", "A text message in five fragments with two pings between them and a wait of a second.", false),
		interrupted("5.20", "The same as 5.19, each frame written by itself.", true),
	}
}

// joined is a case whose fragments come back as one message.
func joined(id, description string, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: "The message comes back, and the connection is closed cleanly with 1000.",
		Outcomes: ok(message(one + two)), Closing: normalClosing(), Frames: frames, CloseAfter: time.Second,
	}
}

func joinedWithPong(id, description string, frames ...Frame) Case {
	c := joined(id, description, frames...)
	c.Outcomes = ok(pong(between), message(one+two))
	c.Expectation = "A pong, then the message, and a clean close with 1000."
	return c
}

// interrupted waits in the middle of a message: a ping must be answered before the message has ended.
func interrupted(id, description string, alone bool) Case {
	send := func(p *Peer, frames ...Frame) {
		if alone {
			frames = apart(frames...)
		}
		p.Send(frames...)
	}
	const ping1, ping2 = "pongme 1!", "pongme 2!"
	return Case{
		ID: id, Description: description,
		Expectation: "The pongs come as the pings do, then the message, and a clean close with 1000.",
		Outcomes:    ok(pong(ping1), pong(ping2), message(one+two+three+four+five)), Closing: normalClosing(),
		waits: []time.Duration{time.Second}, limit: time.Second,
		Drive: func(ctx context.Context, p *Peer) {
			send(p, first(one), middle(two), ping(ping1))
			if p.Wait(ctx, time.Second, "") {
				send(p, middle(three), middle(four), ping(ping2), last(five))
				p.CloseAfter(time.Second)
			}
		},
	}
}
