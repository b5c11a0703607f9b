package suite

import (
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

const refused = "The connection is failed with 1002."

// reserved is group 3: reserved bits, without an extension that defines them (RFC 6455 §5.2).
func reserved() []Case {
	greeting := func(rsv byte) Frame { return Frame{Opcode: frame.Text, Payload: hello, RSV: rsv} }
	return []Case{
		rejected("3.1", "A text message with RSV = 1.", greeting(1)),
		rejectedAfter("3.2", "A text message, the same with RSV = 2, a ping.", greeting(0), greeting(2), ping("")),
		rejectedAfter("3.3", "A text message, the same with RSV = 3, a ping, each written by itself.",
			apart(greeting(0), greeting(3), ping(""))...),
		rejectedAfter("3.4", "A text message, the same with RSV = 4, a ping, written octet by octet.",
			chopped(greeting(0), greeting(4), ping(""))...),
		rejected("3.5", "A binary message with RSV = 5.", Frame{Opcode: frame.Binary, Payload: noText, RSV: 5}),
		// The original calls this one a ping, and sends a binary message.
		rejected("3.6", "A binary message with RSV = 6.", Frame{Opcode: frame.Binary, Payload: hello, RSV: 6}),
		rejected("3.7", "A close frame with RSV = 7.", Frame{Opcode: frame.Close, RSV: 7}),
	}
}

// rejected is a case whose first frame breaks a rule.
func rejected(id, description string, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: refused, Outcomes: ok(), Closing: failing(frame.ProtocolError),
		Frames: frames, KillAfter: time.Second,
	}
}

// rejectedAfter is a case with a greeting, then a frame that breaks a rule, then a ping that is not to be answered.
func rejectedAfter(id, description string, frames ...Frame) Case {
	c := rejected(id, description, frames...)
	c.Outcomes = okOrNothing(message(hello))
	c.Expectation = "The first message comes back (not strictly: it need not); then the connection is failed with 1002. " +
		"The ping is not answered."
	return c
}
