// Package faulty is an echo server, and a client that echoes, which break one rule of RFC 6455 or RFC 7692, chosen from a list:
// the conformance suite is shown by them to notice. Without a fault they break none. It is for tests; nothing in it is fast or
// safe against a hostile peer.
package faulty

import (
	"slices"

	"github.com/seed-c4549abd/wss/frame"
)

// Fault names what a server or client does wrong.
type Fault string

// The faults, in the order of the suite's groups.
const (
	// None is a peer that follows the RFC.
	None Fault = ""

	// EchoesTextAsBinary: a message changes its type.
	EchoesTextAsBinary Fault = "echoes text as binary"
	// ShortensLongMessages: of a message only the first 65,535 octets come back.
	ShortensLongMessages Fault = "shortens long messages"
	// LongHeaders: every length is sent in 64 bits (RFC 6455 §5.2).
	LongHeaders Fault = "sends lengths in 64 bits"
	// Masks: a server's frames are masked, as only a client's are (RFC 6455 §5.1).
	Masks Fault = "masks its frames"
	// NoMasks: a client's frames are not masked (RFC 6455 §5.1).
	NoMasks Fault = "does not mask its frames"
	// MasksHeadersOnly: a client says that its frames are masked, and sends the payload as it is (RFC 6455 §5.3).
	MasksHeadersOnly Fault = "says that it masks and does not"

	// NoPongs: pings are not answered (RFC 6455 §5.5.2).
	NoPongs Fault = "does not answer pings"
	// EmptyPongs: a pong does not repeat the ping's payload (RFC 6455 §5.5.3).
	EmptyPongs Fault = "answers pings without their payload"
	// LatePongs: pongs wait for the end of a message (RFC 6455 §5.4, §5.5.2).
	LatePongs Fault = "answers pings after the message they are in"
	// AnswersPongs: a pong is answered with a pong.
	AnswersPongs Fault = "answers pongs"
	// LongControl: a control frame may have more than 125 octets (RFC 6455 §5.5).
	LongControl Fault = "accepts long control frames"

	// IgnoresRSV: reserved bits are not looked at (RFC 6455 §5.2).
	IgnoresRSV Fault = "ignores reserved bits"
	// IgnoresOpcodes: frames with reserved opcodes are passed over (RFC 6455 §5.2).
	IgnoresOpcodes Fault = "ignores reserved opcodes"

	// FragmentedControl: a control frame need not have FIN (RFC 6455 §5.5).
	FragmentedControl Fault = "accepts control frames without FIN"
	// Unstarted: a continuation of nothing is passed over (RFC 6455 §5.4).
	Unstarted Fault = "ignores continuations of nothing"
	// Unended: a message may begin while another has not ended (RFC 6455 §5.4).
	Unended Fault = "lets a message begin within a message"
	// EchoesFragments: each fragment comes back as a message.
	EchoesFragments Fault = "echoes fragments as messages"

	// NoUTF8: text is not validated (RFC 6455 §8.1).
	NoUTF8 Fault = "does not validate text"
	// LateUTF8: text is validated when the message has ended. This one is allowed.
	LateUTF8 Fault = "validates text at its end"
	// HalfCharacters: text may end within a character.
	HalfCharacters Fault = "lets text end within a character"

	// TalksOn: frames behind a close frame are answered (RFC 6455 §5.5.1).
	TalksOn Fault = "answers what follows a close frame"
	// ShortClose: a close frame may have a body of one octet (RFC 6455 §5.5.1).
	ShortClose Fault = "accepts a close frame with one octet"
	// AnyReason: a close reason is not validated (RFC 6455 §5.5.1).
	AnyReason Fault = "does not validate close reasons"
	// AnyCode: every status code is accepted, and echoed (RFC 6455 §7.4).
	AnyCode Fault = "accepts every status code"
	// WrongCode: whatever is wrong, the status code is 1003 (RFC 6455 §7.4.1).
	WrongCode Fault = "closes with 1003 whatever is wrong"
	// NoCloseFrame: the connection ends without an answer to a close frame (RFC 6455 §5.5.1).
	NoCloseFrame Fault = "ends connections without a close frame"
	// StaysConnected: a server leaves the TCP connection to the client to end (RFC 6455 §7.1.1).
	StaysConnected Fault = "does not end the TCP connection"

	// Declines: permessage-deflate is not accepted. That is allowed, and no pass.
	Declines Fault = "declines compression"
	// UnknownParameter: compression is accepted with a parameter that there is not (RFC 7692 §7.1).
	UnknownParameter Fault = "accepts compression with an unknown parameter"
	// WidensWindow: a larger window is accepted than was asked for (RFC 7692 §7.1.2.1).
	WidensWindow Fault = "accepts a larger window than was asked for"
	// ForgetsPromise: compression is accepted without what was asked for (RFC 7692 §7.1).
	ForgetsPromise Fault = "leaves parameters out of its answer"
	// KeepsContext: messages refer to those before, though that was excluded (RFC 7692 §7.1.1.1).
	KeepsContext Fault = "takes over its context after agreeing not to"
	// ForgetsContext: messages are inflated as if the client did not refer to those before (RFC 7692 §7.2.2).
	ForgetsContext Fault = "does not keep the client's context"
	// WideWindow: matches are farther back than was agreed on (RFC 7692 §7.1.2.1).
	WideWindow Fault = "compresses with a larger window than agreed on"
	// Pretends: messages are marked as compressed, and are not (RFC 7692 §6).
	Pretends Fault = "marks plain messages as compressed"
	// Unmarked: messages are compressed, and not marked (RFC 7692 §6).
	Unmarked Fault = "does not mark compressed messages"
	// MarksFragments: every fragment is marked, not the first alone (RFC 7692 §6.1).
	MarksFragments Fault = "marks every fragment as compressed"
	// MarksControl: control frames are marked as compressed (RFC 7692 §6.1).
	MarksControl Fault = "marks control frames as compressed"
	// CutsOff: four octets are cut off twice (RFC 7692 §7.2.1).
	CutsOff Fault = "cuts off the end of compressed messages"
	// ShortensCompressed: of a message on a connection with compression only half comes back.
	ShortensCompressed Fault = "shortens messages where there is compression"

	// LongForms: a length need not be in its shortest form (RFC 6455 §5.2).
	LongForms Fault = "accepts lengths that are not in their shortest form"
	// IgnoresTopBit: the highest bit of a length in 64 bits is not looked at (RFC 6455 §5.2).
	IgnoresTopBit Fault = "ignores the highest bit of lengths"
	// StripsBOM: a byte order mark at the beginning of a text is taken away, as a TextDecoder does.
	StripsBOM Fault = "takes a byte order mark away"
	// TurnsLines: line feeds become carriage returns with line feeds.
	TurnsLines Fault = "changes the ends of lines"
	// TrimsBlanks: blanks, tabs and line ends around a text are taken away.
	TrimsBlanks Fault = "trims blanks around text"
	// CutsAtNUL: text ends at its first NUL.
	CutsAtNUL Fault = "ends text at a NUL"
	// Composes: letters with combining marks become one character, as normalisation does.
	Composes Fault = "normalises text"
	// JustDrops: where a rule is broken the TCP connection ends without a close frame (RFC 6455 §7.1.7).
	JustDrops Fault = "ends TCP without a close frame where a rule is broken"

	// IgnoresEnd: the connection is kept for five seconds when the peer has ended its direction (RFC 6455 §7.1.5).
	IgnoresEnd Fault = "does not notice the end of the stream"
	// EndsMessages: a message ends with the stream (RFC 6455 §5.4).
	EndsMessages Fault = "takes the end of the stream for the end of the message"
	// Aborts: TLS connections end without close_notify (RFC 8446 §6.1), others by a reset (RFC 6455 §7.1.1).
	Aborts Fault = "does not end streams cleanly"
	// AddsMessage: a message follows the close frame (RFC 6455 §5.5.1).
	AddsMessage Fault = "sends a message behind its close frame"
	// EndsFirst: a client does not leave it to the server to end the TCP connection (RFC 6455 §7.1.1).
	EndsFirst Fault = "ends the TCP connection before the server"
)

// ClientFaults returns those of a client, without None: those of a server that are not about compression, but for two,
// and two of its own.
func ClientFaults() []Fault {
	faults := Faults()
	faults = slices.DeleteFunc(faults[:slices.Index(faults, Declines)], func(f Fault) bool { return f == Masks || f == StaysConnected })
	return append(faults, NoMasks, MasksHeadersOnly)
}

// Faults returns those of a server, without None.
func Faults() []Fault {
	return []Fault{
		EchoesTextAsBinary, ShortensLongMessages, LongHeaders, Masks,
		NoPongs, EmptyPongs, LatePongs, AnswersPongs, LongControl,
		IgnoresRSV, IgnoresOpcodes,
		FragmentedControl, Unstarted, Unended, EchoesFragments,
		NoUTF8, LateUTF8, HalfCharacters,
		TalksOn, ShortClose, AnyReason, AnyCode, WrongCode, NoCloseFrame, StaysConnected,
		Declines, UnknownParameter, WidensWindow, ForgetsPromise,
		KeepsContext, ForgetsContext, WideWindow, Pretends, Unmarked, MarksFragments, MarksControl, CutsOff, ShortensCompressed,
	}
}

// The peculiarities of peers that break no rule: a suite must not blame them.
const (
	// PongsUnasked: a pong that answers nothing comes when the connection has opened (RFC 6455 §5.5.3).
	PongsUnasked Fault = "begins with a pong that nobody asked for"
	// EmptyPongUnasked: the same with a pong without a payload, which looks like the answer to an empty ping.
	EmptyPongUnasked Fault = "begins with an empty pong that nobody asked for"
	// PingsWithin: a ping goes out when a part of a frame has come (RFC 6455 §5.5.2).
	PingsWithin Fault = "pings while a frame comes in"
	// LatestPong: of several pings that have come the latest is answered (RFC 6455 §5.5.3).
	LatestPong Fault = "answers the latest ping only"
	// PongsFirst: a ping is answered before the message that came before it.
	PongsFirst Fault = "answers pings before messages"
	// WritesLate: every write is 300 milliseconds late.
	WritesLate Fault = "writes everything late"
)

// Peculiarities returns those of peers of both roles that break no rule.
func Peculiarities() []Fault {
	return []Fault{PongsUnasked, EmptyPongUnasked, PingsWithin, LatestPong, PongsFirst, WritesLate}
}

// MissedFaults returns those of both roles that no case of the original's looks at, and that are not about ends.
func MissedFaults() []Fault {
	return []Fault{LongForms, IgnoresTopBit, StripsBOM, TurnsLines, TrimsBlanks, CutsAtNUL, Composes, JustDrops}
}

// EndFaults returns those about the end of connections, which the original's cases do not look at: of both roles, but for
// EndsFirst, which is a client's.
func EndFaults() []Fault { return []Fault{IgnoresEnd, EndsMessages, Aborts, AddsMessage, EndsFirst} }

// headerRule returns the status code of the rule that a frame's header breaks, or 0. Faults are rules that are missing.
func (s *session) headerRule(h *frame.Header) frame.StatusCode {
	control := h.Opcode.IsControl()
	marked := s.deflate != nil && h.RSV == frame.RSV1 && (h.Opcode == frame.Text || h.Opcode == frame.Binary)
	switch {
	case h.Masked == s.client,
		h.RSV != 0 && !marked && s.fault != IgnoresRSV,
		h.Opcode.IsReserved() && s.fault != IgnoresOpcodes,
		control && !h.Fin && s.fault != FragmentedControl,
		control && h.Length > frame.MaxControlPayload && s.fault != LongControl,
		h.Opcode == frame.Continuation && !s.inMessage && s.fault != Unstarted,
		!control && !h.Opcode.IsReserved() && h.Opcode != frame.Continuation && s.inMessage && s.fault != Unended:
		return frame.ProtocolError
	}
	return 0
}
