package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// Octets of a compressed "Hello" (RFC 7692 §7.2.3.1), and of an empty message (§7.2.3.6).
const (
	rfcHello        = "Hello"
	helloBegins     = "\xf2\x48\xcd"
	helloEnds       = "\xc9\xc9\x07\x00"
	compressedEmpty = "\x00"
)

// granted is group 26: whether a server keeps to what it was asked for, and what else of RFC 7692 the original leaves out.
func granted() []Case {
	var cases []Case
	for i, o := range []offer{{bits: 9}, {alone: true}, {alone: true, bits: 9}, {bits: 12}} {
		cases = append(cases, Case{
			ID:          fmt.Sprintf("26.1.%d", i+1),
			Description: fmt.Sprintf("A thousand messages of 4,096 octets. %s.", inWords([]offer{o})),
			Expectation: "The server's answer grants it, its messages keep to it, and all come back.",
			Closing:     normalClosing(), offers: []offer{o}, exact: true, Judges: ServerRole, lasts: time.Minute,
			rounds: messages, volume: int64(messages * 4 * kib),
			Drive: func(_ context.Context, p *Peer) { p.exchangeCompressed(samples[0], 4*kib, 0) },
		})
	}
	begins, ends := Frame{Opcode: frame.Text, RSV: 4, Payload: helloBegins, More: true}, last(helloEnds)
	marked := ends
	marked.RSV = 4
	whole := Frame{Opcode: frame.Text, RSV: 4, Payload: helloBegins + helloEnds}
	wrongPing := ping(greeting)
	wrongPing.RSV = 4
	broken := Frame{Opcode: frame.Text, RSV: 4, Payload: "\xff\xff\xff\xff"}
	between := comesBack("A ping between the fragments of a compressed message.", []Event{pong(greeting), message(rfcHello)}, begins, ping(greeting), ends)
	slow := comesBack("A ping between the fragments of a compressed message, octet by octet.",
		[]Event{pong(greeting), message(rfcHello)}, chopped(begins, ping(greeting), ends)...)
	for i, c := range []Case{
		between, slow,
		comesBack("A compressed message between two that are not.", []Event{message(one), message(rfcHello), message(two)}, text(one), whole, text(two)),
		comesBack("An empty compressed message.", []Event{message("")}, Frame{Opcode: frame.Text, RSV: 4, Payload: compressedEmpty}),
		comesBack("A compressed message with an empty fragment at its end.", []Event{message(rfcHello)}, begins,
			Frame{Payload: helloEnds, More: true}, last("")),
		breaks("A second fragment that is marked as compressed.", frame.ProtocolError, begins, marked),
		breaks("A ping that is marked as compressed.", frame.ProtocolError, wrongPing),
		breaks("A compressed message with RSV2.", frame.ProtocolError, Frame{Opcode: frame.Text, RSV: 6, Payload: helloBegins + helloEnds}),
		breaks("A compressed message whose data is none.", frame.InvalidPayload, broken),
	} {
		c.ID = fmt.Sprintf("26.2.%d", i+1)
		cases = append(cases, c)
	}
	return cases
}

// comesBack is a case with compression in which these events come back.
func comesBack(description string, events []Event, frames ...Frame) Case {
	c := exchange("", description)
	c.Outcomes = ok(events...)
	return compressing(c, frames)
}

// breaks is a case with compression whose frames break a rule. As RFC 7692 names no code for data that is none, 1002 is fine
// as well as 1007.
func breaks(description string, code frame.StatusCode, frames ...Frame) Case {
	c := failsWith("", description, code)
	if code == frame.InvalidPayload {
		c.Closing.Codes = append(c.Closing.Codes, frame.ProtocolError)
		c.Expectation = "The connection is failed with 1007 or 1002."
	}
	return compressing(c, frames)
}

// compressing has a case send its frames where compression was agreed on.
func compressing(c Case, frames []Frame) Case {
	c.Frames, c.offers = nil, []offer{{}}
	c.Drive = func(_ context.Context, p *Peer) {
		if !p.declined() {
			p.Send(frames...)
		}
	}
	return c
}
