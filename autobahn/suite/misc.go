package suite

import (
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// misc is group 10: a message that a library would cut into fragments by itself.
func misc() []Case {
	payload := strings.Repeat("*", 65536)
	return []Case{{
		ID: "10.1.1", Description: "A text message of 65,536 octets in fragments of 1,300.",
		Expectation: "The message comes back, and the connection is closed cleanly with 1000.",
		Outcomes:    ok(message(payload)), Closing: normalClosing(), Frames: split(frame.Text, payload, 1300),
		KillAfter: 10 * time.Second,
	}}
}
