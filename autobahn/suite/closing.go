package suite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

const (
	closedCleanly = "A clean close with 1000, and nothing else."
	failsOrDrops  = "The connection is failed with 1002, or dropped."
	greeting      = "Hello World!"
)

// closing is group 7: the closing handshake (RFC 6455 §5.5.1, §7).
func closing() []Case {
	cases := []Case{
		{
			ID: "7.1.1", Description: "A text message, then a close frame.",
			Expectation: "The message comes back, and the connection is closed cleanly with 1000.",
			Outcomes:    ok(message(greeting)), Closing: normalClosing(), Frames: []Frame{text(greeting)},
			KillAfter: time.Second, Amend: wrongCodeFails,
		},
		closes("7.1.2", "Two close frames.", closeNormally(), Frame{Opcode: frame.Close}),
		closes("7.1.3", "A close frame, then a ping.", closeNormally(), ping("")),
		closes("7.1.4", "A close frame, then a text message.", closeNormally(), text(greeting)),
		closes("7.1.5", "A close frame between the two fragments of a text message.", first(one), closeNormally(), last(two)),
		closeBehindData(),
		closes("7.3.1", "A close frame without a body.", closeFrame("")),
		closesBadly("7.3.2", "A close frame with a body of one octet.", "a"),
		closes("7.3.3", "A close frame with a status code.", closeNormally()),
		closes("7.3.4", "A close frame with a status code and a reason.", closeFrame(code(frame.NormalClosure)+greeting)),
		closes("7.3.5", "A close frame with a reason of 123 octets, the most there is.",
			closeFrame(code(frame.NormalClosure)+strings.Repeat("*", frame.MaxReason))),
		closesBadly("7.3.6", "A close frame with a reason of 124 octets, which makes it too long.",
			code(frame.NormalClosure)+strings.Repeat("*", frame.MaxReason+1)),
		closesBadly("7.5.1", "A close frame whose reason is not UTF-8.", code(frame.NormalClosure)+surrogateInGreek),
	}
	unreadable := &cases[len(cases)-1]
	unreadable.Expectation = "The connection is failed with 1007 or 1002, or dropped."
	unreadable.Closing.Codes = append(unreadable.Closing.Codes, frame.InvalidPayload)
	cases = append(cases, validCodes()...)
	cases = append(cases, invalidCodes()...)
	return append(cases, undefinedCode("7.13.1", 5000), undefinedCode("7.13.2", 65535))
}

// closes is a case that sends its close frame itself and wants nothing but an answer to it.
func closes(id, description string, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: closedCleanly, Outcomes: ok(), Closing: normalClosing(), Frames: frames,
		KillAfter: time.Second, ClosesItself: true, Amend: wrongCodeFails,
	}
}

// closesBadly is a case with a close frame that breaks a rule. To drop the connection is an answer too.
func closesBadly(id, description, body string) Case {
	c := closes(id, description, closeFrame(body))
	c.Expectation = failsOrDrops
	c.Closing = Closing{ByUs: true, Codes: []frame.StatusCode{frame.ProtocolError}}
	return c
}

// closeBehindData depends on whether a peer answers in order: the RFC leaves it open, and so does the verdict.
func closeBehindData() Case {
	c := closes("7.1.6", "A text message of 256 KiB and a short one, a close frame, a ping.",
		Frame{Opcode: frame.Text, Payload: filler, Length: 256 << 10}, text(greeting), closeNormally(), ping(""))
	c.Expectation = "Open: a peer may answer the messages before the close frame, in part, or not at all."
	c.Outcomes = okOrNothing(message(greeting))
	c.Amend = takesNote
	return c
}

// filler is repeated to make long messages.
const filler = "BAsd7&jh23"

// validCodes are codes that may stand in a close frame (RFC 6455 §7.4.1, §7.4.2).
func validCodes() []Case {
	var cases []Case
	for i, c := range []frame.StatusCode{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		valid := closes(fmt.Sprintf("7.7.%d", i+1), fmt.Sprintf("A close frame with the valid status code %d.", uint16(c)),
			closeFrame(code(c)))
		valid.Expectation = "A clean close with 1000 or the same code."
		valid.Closing.Codes = append(valid.Closing.Codes, c)
		cases = append(cases, valid)
	}
	return cases
}

// invalidCodes are codes that must not be sent, or that nobody has defined in the range that is the RFC's own.
func invalidCodes() []Case {
	var cases []Case
	for i, c := range []frame.StatusCode{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases = append(cases, closesBadly(fmt.Sprintf("7.9.%d", i+1),
			fmt.Sprintf("A close frame with the invalid status code %d.", uint16(c)), code(c)))
	}
	return cases
}

// undefinedCode sends a code beyond all ranges of RFC 6455 §7.4.2, which says nothing about it.
func undefinedCode(id string, c frame.StatusCode) Case {
	undefined := closes(id, fmt.Sprintf("A close frame with the status code %d.", uint16(c)), closeFrame(code(c)))
	undefined.Expectation = "Open: the RFC does not say."
	undefined.Closing = Closing{ByUs: true, Codes: []frame.StatusCode{frame.NormalClosure, c, frame.ProtocolError}}
	undefined.Amend = func(r *Result) {
		takesNote(r)
		r.Result = "The RFC does not say what to do."
	}
	return undefined
}
