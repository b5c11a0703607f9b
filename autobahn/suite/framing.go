package suite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// framing is group 1: messages in one frame, whose lengths lie on both sides of each form that a header has for them
// (RFC 6455 §5.2).
func framing() []Case {
	var cases []Case
	for group, kind := range []struct {
		opcode frame.Opcode
		octet  string
		event  func(string) Event
	}{{frame.Text, "*", message}, {frame.Binary, "\xfe", blob}} {
		for i, size := range []struct {
			length, chop int
			wait         time.Duration
		}{
			{0, 0, time.Second},
			{125, 0, time.Second},
			{126, 0, time.Second},
			{127, 0, time.Second},
			{128, 0, time.Second},
			{65535, 0, 10 * time.Second},
			{65536, 0, 10 * time.Second},
			{65536, 997, 10 * time.Second},
		} {
			payload := strings.Repeat(kind.octet, size.length)
			cases = append(cases, Case{
				ID:          fmt.Sprintf("1.%d.%d", group+1, i+1),
				Description: fmt.Sprintf("A %v message of %d octets in one frame%s.", kind.opcode, size.length, pieces(size.chop)),
				Expectation: "The message comes back, and the connection is closed cleanly with 1000.",
				Outcomes:    ok(kind.event(payload)),
				Closing:     normalClosing(),
				Frames:      []Frame{{Opcode: kind.opcode, Payload: payload, Chop: size.chop}},
				KillAfter:   size.wait,
			})
		}
	}
	return cases
}

// pieces says how octets are cut on their way.
func pieces(chop int) string {
	switch chop {
	case 0:
		return ""
	case 1:
		return ", written octet by octet"
	}
	return fmt.Sprintf(", written in pieces of %d octets", chop)
}
