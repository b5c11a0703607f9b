package suite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

const (
	hello = "Hello, world!"
	// noText is no UTF-8 in any of its parts.
	noText = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	ponged = "A pong with the same payload, and a clean close with 1000."
)

// pings is group 2: pings and pongs (RFC 6455 §5.5.2, §5.5.3).
func pings() []Case {
	full := strings.Repeat("\xfe", frame.MaxControlPayload)
	unsolicited := Frame{Opcode: frame.Pong, Payload: "unsolicited pong payload"}
	ping126 := Case{
		ID: "2.5", Description: "A ping with a payload of 126 octets.",
		Expectation: "The connection is failed with 1002: a control frame carries at most 125 octets.",
		Outcomes:    ok(), Closing: failing(frame.ProtocolError), Frames: []Frame{ping(full + "\xfe")}, KillAfter: time.Second,
	}
	return []Case{
		ponging("2.1", "A ping without a payload.", time.Second, ok(pong("")), ping("")),
		ponging("2.2", "A ping with a short payload that is text.", time.Second, ok(pong(hello)), ping(hello)),
		ponging("2.3", "A ping with a short payload that is not UTF-8.", time.Second, ok(pong(noText)), ping(noText)),
		ponging("2.4", "A ping with a payload of 125 octets, the most there is.", time.Second, ok(pong(full)), ping(full)),
		ping126,
		ponging("2.6", "The ping of 2.4, written octet by octet.", 2*time.Second, ok(pong(full)), chopped(ping(full))...),
		ignored("2.7", "A pong that nobody asked for, without a payload.", Frame{Opcode: frame.Pong}),
		ignored("2.8", "A pong that nobody asked for, with a payload.", unsolicited),
		ponging("2.9", "A pong that nobody asked for, then a ping.", time.Second, ok(pong("ping payload")),
			unsolicited, ping("ping payload")),
		tenPings("2.10", 0),
		tenPings("2.11", 1),
	}
}

// ponging is a case whose frames are to be answered by pongs.
func ponging(id, description string, wait time.Duration, outcomes []Outcome, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: ponged, Outcomes: outcomes, Closing: normalClosing(), Frames: frames,
		CloseAfter: wait,
	}
}

// ignored is a case with a pong to be ignored.
func ignored(id, description string, f Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: "No answer but the close frame: a clean close with 1000.",
		Outcomes: ok(), Closing: normalClosing(), Frames: []Frame{f, closeNormally()}, CloseAfter: time.Second,
	}
}

// tenPings wants a pong for each. The RFC allows to answer the latest ping only (§5.5.3); the original does not.
func tenPings(id string, chop int) Case {
	var frames []Frame
	var pongs []Event
	for i := range 10 {
		payload := fmt.Sprintf("payload-%d", i)
		frames = append(frames, Frame{Opcode: frame.Ping, Payload: payload, Chop: chop})
		pongs = append(pongs, pong(payload))
	}
	c := ponging(id, fmt.Sprintf("Ten pings with different payloads%s.", pieces(chop)), 3*time.Second, ok(pongs...), frames...)
	c.Expectation = "A pong for each ping, though the RFC asks for less, and a clean close with 1000."
	return c
}
