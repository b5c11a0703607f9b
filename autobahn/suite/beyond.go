package suite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-c4549abd/wss/frame"
)

// Beyond returns the cases that the original has not, numbered from 20. They are reported apart, and run only where they are
// asked for. The caller owns the result.
func Beyond() []Case {
	var all []Case
	for _, group := range []func() []Case{requests, responses, maskings, closings, boundaries, slowness, granted, ends, missed} {
		all = append(all, group()...)
	}
	for i := range all {
		all[i].byRFC = true
	}
	return all
}

// IsBeyond reports whether an id is that of a case which the original has not.
func IsBeyond(id string) bool {
	group, _, _ := strings.Cut(id, ".")
	n, err := strconv.Atoi(group)
	return err == nil && n >= 20
}

// echoing makes a case of an opening handshake that must succeed: a message comes back on its connection.
func echoing(id, description string, g Opening) Case {
	c := exchange(id, description, text(greeting))
	c.Opening = &g
	c.Expectation = "The handshake succeeds, the message comes back, and the connection is closed cleanly with 1000."
	return c
}

// exchange is a case in which what is sent comes back.
func exchange(id, description string, frames ...Frame) Case {
	c := Case{
		ID: id, Description: description, Frames: frames, Closing: normalClosing(), KillAfter: 5 * refusalWait,
		Expectation: "What was sent comes back, and the connection is closed cleanly with 1000.",
	}
	var events []Event
	message := ""
	var opcode frame.Opcode
	for _, f := range frames {
		switch {
		case f.Opcode == frame.Ping:
			events = append(events, pong(f.octets()))
			continue
		case f.Opcode != frame.Continuation:
			opcode, message = f.Opcode, ""
		}
		if message += f.octets(); f.More {
			continue
		}
		events = append(events, Event{Kind: kindMessage, Payload: message, Binary: opcode == frame.Binary})
	}
	c.Outcomes = ok(events...)
	return c
}

// failsWith is a case that sends what the peer must fail the connection for.
func failsWith(id, description string, c frame.StatusCode, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Frames: frames, Outcomes: ok(), Closing: failing(c), KillAfter: refusalWait,
		Expectation: fmt.Sprintf("The connection is failed with %d.", uint16(c)),
	}
}

// maskings is group 22: who masks, and with which keys (RFC 6455 §5.1, §5.3).
func maskings() []Case {
	unmasked := text(greeting)
	unmasked.WrongMask = true
	control := ping(greeting)
	control.WrongMask = true
	second := last(two)
	second.WrongMask = true
	same, other := text(one), text(two)
	same.Key = [4]byte{1, 2, 3, 4}
	other.Key = same.Key
	half := text(greeting)
	half.Key = [4]byte{0, 0, 0, 1}
	return []Case{
		failsWith("22.1.1", "A text frame that is masked as only the other side may.", frame.ProtocolError, unmasked),
		failsWith("22.1.2", "A ping that is masked as only the other side may.", frame.ProtocolError, control),
		failsWith("22.1.3", "A second fragment that is masked as only the other side may.", frame.ProtocolError, first(one), second),
		exchange("22.2.1", "Two messages with the same masking key.", same, other),
		exchange("22.2.2", "A message whose masking key is nearly all zeros.", half),
	}
}

// closings is group 23: codes that the original does not try, and what surrounds a close frame (RFC 6455 §5.5.1, §7.4).
func closings() []Case {
	var cases []Case
	for i, c := range []frame.StatusCode{1012, 1013, 1014} {
		valid := closes(fmt.Sprintf("23.1.%d", i+1), fmt.Sprintf("A close frame with the registered status code %d.", uint16(c)),
			closeFrame(code(c)))
		valid.Expectation = "A clean close with 1000 or the same code."
		valid.Closing.Codes = append(valid.Closing.Codes, c)
		cases = append(cases, valid)
	}
	cases = append(cases, closesBadly("23.1.4", "A close frame with status code 1015, which must not be sent.", code(1015)))
	long := strings.Repeat("ä", 61) // 122 octets
	for i, reason := range []string{"a", long, long + "a"} {
		cases = append(cases, closes(fmt.Sprintf("23.2.%d", i+1), fmt.Sprintf("A close frame with a reason of %d octets.", len(reason)),
			closeFrame(code(1000)+reason)))
	}
	bad := closesBadly("23.2.4", "A close frame whose reason ends within a character.", code(1000)+"\xc3")
	bad.Closing.Codes = append(bad.Closing.Codes, frame.InvalidPayload)
	bad.Expectation = "The connection is failed with 1007 or 1002, or dropped."
	cases = append(cases, bad)
	fragmented := closesBadly("23.3.1", "A close frame without FIN.", code(1000))
	fragmented.Frames[0].More = true
	reserved := closesBadly("23.3.2", "A close frame with RSV1.", code(1000))
	reserved.Frames[0].RSV = 4
	chop := closes("23.3.3", "A close frame, written octet by octet.", chopped(closeFrame(code(1000)+greeting))...)
	return append(cases, fragmented, reserved, chop)
}

// boundaries is group 24: lengths one below, at and above every limit of the header and of control frames.
func boundaries() []Case {
	var cases []Case
	for i, n := range []int{1, 124, 125, 126, 127, 65534, 65535, 65536, 65537} {
		cases = append(cases, exchange(fmt.Sprintf("24.1.%d", i+1), fmt.Sprintf("A text message of %d octets, then a ping.", n),
			text(strings.Repeat("*", n)), ping("")))
	}
	for i, n := range []int{1, 124, 125} {
		cases = append(cases, exchange(fmt.Sprintf("24.2.%d", i+1), fmt.Sprintf("A ping of %d octets.", n), ping(strings.Repeat("\xfe", n))))
	}
	for i, n := range []int{126, 127, 65536} {
		cases = append(cases, failsWith(fmt.Sprintf("24.2.%d", i+4), fmt.Sprintf("A ping of %d octets, which is too long.", n),
			frame.ProtocolError, ping(strings.Repeat("*", n))))
	}
	for i, n := range []int{124, 125, 126, 65535, 65536} {
		cases = append(cases, exchange(fmt.Sprintf("24.3.%d", i+1), fmt.Sprintf("A message whose two fragments have %d octets each.", n),
			first(strings.Repeat("a", n)), last(strings.Repeat("b", n))))
	}
	return cases
}

// slowness is group 25: everything octet by octet.
func slowness() []Case {
	pings := chopped(first(one), ping(greeting), last(two))
	return []Case{
		exchange("25.1.1", "A text message of 125 octets, octet by octet.", chopped(text(strings.Repeat("*", 125)))...),
		exchange("25.1.2", "A text message of 126 octets, octet by octet.", chopped(text(strings.Repeat("*", 126)))...),
		exchange("25.1.3", "A text message of 4,096 octets, octet by octet.", chopped(text(strings.Repeat("*", 4096)))...),
		exchange("25.1.4", "Characters of four octets, octet by octet.", chopped(text(strings.Repeat("\U0001f600", 32)))...),
		reordered(exchange("25.1.5", "A ping between two fragments, octet by octet.", pings...)),
		exchange("25.1.6", "Two empty messages, octet by octet.", chopped(text(""), text(""))...),
		failsWith("25.2.1", "A reserved opcode, octet by octet.", frame.ProtocolError, chopped(Frame{Opcode: 3, Payload: greeting})...),
		failsWith("25.2.2", "Text that is not UTF-8, octet by octet.", frame.InvalidPayload, chopped(text("\xc0\xaf"))...),
	}
}

// reordered puts pongs first: they are answered before the message that they are in has ended.
func reordered(c Case) Case {
	events := c.Outcomes[0].Events
	slices.SortStableFunc(events, func(a, b Event) int {
		return map[bool]int{true: 0, false: 1}[a.Kind == kindPong] - map[bool]int{true: 0, false: 1}[b.Kind == kindPong]
	})
	return c
}
