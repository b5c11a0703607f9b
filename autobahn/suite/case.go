package suite

import (
	"context"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// Case is one test of the suite: one connection, what is sent on it and what may come back.
type Case struct {
	// ID is the original's number, such as "7.13.1".
	ID string
	// Description says what is sent, and Expectation what a conforming peer does.
	Description, Expectation string
	// Outcomes are the acceptable sequences of events with their verdicts. Anything else is FAILED.
	Outcomes []Outcome
	// Closing is how the connection should end.
	Closing Closing
	// Opening, unless nil, takes the place of the usual opening handshake.
	Opening *Opening
	// Judges is the role of the peer that the case is for. Zero: either.
	Judges Role
	// Frames are sent when the connection is open.
	Frames []Frame
	// Drive, unless nil, goes on after Frames were sent: for cases that wait, or that send what depends on answers.
	Drive func(context.Context, *Peer)
	// KillAfter fails the connection with status 1001 when it is still there so long after it was opened, and CloseAfter
	// begins a closing handshake. 0: never.
	KillAfter, CloseAfter time.Duration
	// ClosesItself says that the case sends its close frames where they belong, rather than when all has come back.
	ClosesItself bool
	// ReportTime says that how long the case takes is worth reporting.
	ReportTime bool
	// Amend, unless nil, has the last word on the verdicts.
	Amend func(*Result)

	// offers are what is offered of permessage-deflate, by preference. nil: no extension is.
	offers []offer
	// exact: an answer that leaves out what was asked for fails the case.
	exact bool
	// endsStream: our direction of the stream ends before the peer's. endsTLS: so does that of TLS, and not as it should.
	endsStream, endsTLS bool
	// byRFC says that the verdicts follow the RFC alone, and not the original.
	byRFC bool
	// lasts is how long the exchange of a case in groups 9, 12, 13 and 26.1 may take, rounds how many messages it has, one after the
	// other, and volume how many octets they have together. 0: there is none.
	lasts  time.Duration
	rounds int
	volume int64
	// waits are the waits of Drive that always pass, and limit is the longest that it waits for what the peer does.
	waits []time.Duration
	limit time.Duration
	// patience is how long the suite leaves a connection open, as a server, after the closing handshake. 0: not at all.
	patience time.Duration
}

// Role is the part that the tested side plays in a case.
type Role int

// The roles.
const (
	EitherRole Role = iota
	ServerRole
	ClientRole
)

// Outcome is a sequence of events that is acceptable, and what it is worth.
type Outcome struct {
	Verdict report.Behavior
	Events  []Event
	// ByRFC is what it is worth by the RFC alone, where that is something else. Empty: Verdict.
	ByRFC report.Behavior
}

// Closing is how a connection should end (RFC 6455 §7).
type Closing struct {
	// ByUs: the suite begins the closing handshake, not the peer.
	ByUs bool
	// Codes are the status codes that the peer may send; no code at all is always fine. The suite closes with the first.
	Codes []frame.StatusCode
	// Clean: both close frames must be seen before the connection ends.
	Clean bool
	// WrongEndIsFatal: the case is FAILED if the other side began the closing handshake, since the peer then has not
	// noticed what it must notice.
	WrongEndIsFatal bool
}

// Frame is a frame to send, legal or not. The zero value is an empty, final continuation.
type Frame struct {
	Opcode frame.Opcode
	// Payload is the payload before masking.
	Payload string
	// Length repeats Payload, cut at so many bytes. 0: Payload as it is.
	Length int
	// More says that the message goes on: FIN is not set.
	More bool
	// RSV are the three reserved bits as a number, RSV1 being 4 (RFC 6455 §5.2).
	RSV byte
	// Chop writes so many bytes at a time. 0: the frame is not cut.
	Chop int
	// WrongMask masks a frame as only the other role may, or leaves it unmasked (RFC 6455 §5.1).
	WrongMask bool
	// LengthBits is in how many bits the header says the length: 16 or 64, also where it need not (RFC 6455 §5.2). 0: in as few
	// as can be.
	LengthBits int
	// TopBits are set in a length of 64 bits beside those that it has: the highest must not be (RFC 6455 §5.2).
	TopBits uint64
	// Key masks the frame, where it is masked. Zero: a fresh key, as it should be.
	Key [4]byte
	// Apart has the frame written by itself, rather than together with its neighbours.
	Apart bool
	// Closes says that our closing handshake begins with this frame. Another such frame is then not sent any more.
	Closes bool
}

// octets returns the payload, repeated as Length has it.
func (f *Frame) octets() string {
	if f.Length == 0 {
		return f.Payload
	}
	return strings.Repeat(f.Payload, f.Length/len(f.Payload)+1)[:f.Length]
}

// length is how many octets the payload has when it has been repeated.
func (f *Frame) length() int {
	if f.Length > 0 {
		return f.Length
	}
	return len(f.Payload)
}

// Cases returns the cases that there are, in the original's order: all of its 517. The caller owns the result.
func Cases() []Case {
	var all []Case
	for _, group := range []func() []Case{
		framing, pings, reserved, opcodes, fragments, utf8Handling, closing, limits, misc, compressed, parameters,
	} {
		all = append(all, group()...)
	}
	return all
}

func text(payload string) Frame      { return Frame{Opcode: frame.Text, Payload: payload} }
func ping(payload string) Frame      { return Frame{Opcode: frame.Ping, Payload: payload} }
func first(payload string) Frame     { return Frame{Opcode: frame.Text, Payload: payload, More: true} }
func middle(payload string) Frame    { return Frame{Payload: payload, More: true} }
func last(payload string) Frame      { return Frame{Payload: payload} }
func closeFrame(body string) Frame   { return Frame{Opcode: frame.Close, Payload: body, Closes: true} }
func code(c frame.StatusCode) string { return string([]byte{byte(c >> 8), byte(c)}) }
func closeNormally() Frame           { return closeFrame(code(frame.NormalClosure)) }
func ok(events ...Event) []Outcome   { return []Outcome{{Verdict: report.OK, Events: events}} }
func normalClosing() Closing {
	return Closing{ByUs: true, Codes: []frame.StatusCode{1000}, Clean: true}
}
func failing(c frame.StatusCode) Closing { return Closing{Codes: []frame.StatusCode{c}} }

// okOrNothing is for a peer that gives up on a broken frame: the original wants what came before it answered first, and the RFC does
// not.
func okOrNothing(events ...Event) []Outcome {
	return []Outcome{{Verdict: report.OK, Events: events}, {Verdict: report.NonStrict, ByRFC: report.OK}}
}

// chopped has all frames written octet by octet.
func chopped(frames ...Frame) []Frame {
	for i := range frames {
		frames[i].Chop = 1
	}
	return frames
}

// apart has every frame written by itself.
func apart(frames ...Frame) []Frame {
	for i := range frames {
		frames[i].Apart = true
	}
	return frames
}

// split cuts a message into fragments of n bytes. As the original does, it ends with an empty one if n divides the length.
func split(opcode frame.Opcode, payload string, n int) []Frame {
	if len(payload) <= n {
		return []Frame{{Opcode: opcode, Payload: payload}}
	}
	var frames []Frame
	for ; len(payload) >= n; payload = payload[n:] {
		frames = append(frames, Frame{Opcode: opcode, Payload: payload[:n], More: true})
		opcode = frame.Continuation
	}
	return append(frames, Frame{Opcode: opcode, Payload: payload})
}
