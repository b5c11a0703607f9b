package suite

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// missed is group 28: what neither the original nor the groups before it look at.
func missed() []Case {
	var cases []Case
	for i, subgroup := range [][]Case{longForms(), topBits(), unaltered(), answeredViolations()} {
		for j, c := range subgroup {
			c.ID = fmt.Sprintf("28.%d.%d", i+1, j+1)
			cases = append(cases, c)
		}
	}
	return cases
}

// longForms are lengths in more bits than they need. RFC 6455 §5.2 forbids to send them, §10.7 has what is received validated,
// and no sentence has the connection fail: to accept them is NON-STRICT.
func longForms() []Case {
	in := func(bits int, f Frame) Frame {
		f.LengthBits = bits
		return f
	}
	var cases []Case
	add := func(description string, comes Event, frames ...Frame) {
		c := failsWith("", description, frame.ProtocolError, frames...)
		c.Expectation = "The connection is failed with 1002. To accept the length is not strict."
		c.Outcomes = append(c.Outcomes, Outcome{Verdict: report.NonStrict, Events: []Event{comes}})
		c.Amend = acceptsLongForm
		cases = append(cases, c)
	}
	const short = "short"
	full, long := strings.Repeat("*", 125), strings.Repeat("*", 65535)
	add("A text message of 5 octets, whose length stands in 16 bits.", message(short), in(16, text(short)))
	add("A text message of 125 octets, whose length stands in 16 bits.", message(full), in(16, text(full)))
	add("An empty text message, whose length stands in 16 bits.", message(""), in(16, text("")))
	add("A text message of 5 octets, whose length stands in 64 bits.", message(short), in(64, text(short)))
	add("A text message of 65,535 octets, whose length stands in 64 bits.", message(long), in(64, text(long)))
	add("A second fragment of 9 octets, whose length stands in 16 bits.", message(one+two), first(one), in(16, last(two)))
	add("A ping of 5 octets, whose length stands in 16 bits.", pong(short), in(16, ping(short)))
	return cases
}

// acceptsLongForm says what it means that a message has come back.
func acceptsLongForm(r *Result) {
	if r.Behavior != report.NonStrict {
		return
	}
	r.Result = "The peer accepted a length that is not in its shortest form (RFC 6455 §5.2, §10.7)."
	r.BehaviorClose, r.ResultClose = report.NonStrict, "The peer did not fail the connection."
}

// topBits are lengths whose highest bit is set, which no frame has (RFC 6455 §5.2).
func topBits() []Case {
	with := func(bits uint64, f Frame) Frame {
		f.LengthBits, f.TopBits = 64, bits
		return f
	}
	var cases []Case
	for _, f := range []struct {
		description string
		frame       Frame
	}{
		{"A text message of 5 octets, whose length has bit 63 set.", with(1<<63, text("short"))},
		{"A text message of 65,536 octets, whose length has bit 63 set.", with(1<<63, text(strings.Repeat("*", 65536)))},
		{"A ping of 5 octets, whose length stands in 64 bits with bit 63 set.", with(1<<63, ping("short"))},
		{"A text message of 5 octets, whose length is 64 bits that are all set.", with(math.MaxUint64, text("short"))},
	} {
		c := failsWith("", f.description, frame.ProtocolError, f.frame)
		c.Closing.Codes = append(c.Closing.Codes, frame.MessageTooBig)
		c.Closing.WrongEndIsFatal = true // a peer that leaves it to us to close has not noticed
		c.Expectation = "The connection is failed with 1002 or 1009."
		cases = append(cases, c)
	}
	return cases
}

// unaltered are texts that some decoders and some programs change on their way. A message is delivered as it was sent (RFC 6455
// §6.2), and so is its echo.
func unaltered() []Case {
	const mark = "\ufeff"
	var cases []Case
	for _, t := range []struct {
		description string
		frames      []Frame
	}{
		{"Text that begins with a byte order mark.", []Frame{text(mark + greeting)}},
		{"Text that is a byte order mark and no more.", []Frame{text(mark)}},
		{"Text that begins with a byte order mark, in a fragment of its own.", []Frame{first(mark), last(greeting)}},
		{"Text with a line feed.", []Frame{text("one\ntwo")}},
		{"Text with all ends of lines that there are.", []Frame{text("one\ntwo\r\nthree\rfour\n")}},
		{"Text with blanks and tabs around it.", []Frame{text(" \t one \t ")}},
		{"Text of blanks alone.", []Frame{text("   ")}},
		{"Text that ends with a line feed.", []Frame{text("one\n")}},
		{"Text with a NUL in it.", []Frame{text("one\x00two")}},
		{"Text that begins with a NUL.", []Frame{text("\x00one")}},
		{"Text with a letter and a combining accent.", []Frame{text("cafe\u0301")}},
	} {
		c := exchange("", t.description, t.frames...)
		c.Expectation = "The message comes back octet for octet, and the connection is closed cleanly with 1000."
		cases = append(cases, c)
	}
	return cases
}

// answeredViolations are about the close frame with which a connection should be failed (RFC 6455 §7.1.7). All other cases about
// violations are content with the end of the connection, so that one habit is blamed once.
func answeredViolations() []Case {
	unmasked := text(greeting)
	unmasked.WrongMask = true
	var cases []Case
	for _, v := range []struct {
		description string
		code        frame.StatusCode
		frame       Frame
	}{
		{"A reserved bit", frame.ProtocolError, Frame{Opcode: frame.Text, Payload: greeting, RSV: 1}},
		{"A reserved opcode", frame.ProtocolError, Frame{Opcode: 3}},
		{"A frame masked as only the other side may", frame.ProtocolError, unmasked},
		{"A ping without FIN", frame.ProtocolError, Frame{Opcode: frame.Ping, Payload: greeting, More: true}},
		{"A continuation of nothing", frame.ProtocolError, last(greeting)},
		{"Text that is not UTF-8", frame.InvalidPayload, text("\xc0\xaf")},
	} {
		c := failsWith("", v.description+": is the connection failed with a close frame?", v.code, v.frame)
		c.Expectation = fmt.Sprintf("A close frame with %d, and the end of the connection.", uint16(v.code))
		c.Amend = wantsCloseFrame
		cases = append(cases, c)
	}
	return cases
}

// wantsCloseFrame judges an end without a close frame, which breaks a SHOULD.
func wantsCloseFrame(r *Result) {
	if r.BehaviorClose == report.OK && !r.bothClosed {
		r.BehaviorClose, r.ResultClose = report.NonStrict, "The peer ended the TCP connection without a close frame (RFC 6455 §7.1.7)."
	}
}
