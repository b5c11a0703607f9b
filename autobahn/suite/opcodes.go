package suite

import (
	"fmt"

	"github.com/seed-c4549abd/wss/frame"
)

// opcodes is group 4: opcodes that RFC 6455 §5.2 reserves, those for data and those for control frames.
func opcodes() []Case {
	var cases []Case
	for group, kind := range []struct {
		from frame.Opcode
		name string
	}{{0x3, "data"}, {0xB, "control"}} {
		id := func(n int) string { return fmt.Sprintf("4.%d.%d", group+1, n) }
		odd := func(n int, payload string) Frame {
			return Frame{Opcode: kind.from + frame.Opcode(n-1), Payload: payload}
		}
		describe := func(n int, before, after string) string {
			return fmt.Sprintf("%s frame with the reserved %s opcode %d%s.", before, kind.name, kind.from+frame.Opcode(n-1), after)
		}
		const between = "A text message, a"
		cases = append(cases,
			rejected(id(1), describe(1, "A", ""), odd(1, "")),
			rejected(id(2), describe(2, "A", " and a payload"), odd(2, "reserved opcode payload")),
			rejectedAfter(id(3), describe(3, between, ", a ping"), text(hello), odd(3, ""), ping("")),
			rejectedAfter(id(4), describe(4, between, " and a payload, a ping"), text(hello), odd(4, hello), ping("")),
			rejectedAfter(id(5), describe(5, between, " and a payload, a ping, written octet by octet"),
				chopped(text(hello), odd(5, hello), ping(""))...),
		)
	}
	return cases
}
