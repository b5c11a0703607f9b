package reconnect

import (
	"fmt"
	"time"
)

// Phase is what a client is doing. The zero value is Idle.
type Phase uint8

const (
	Idle       Phase = iota // Run was not called yet
	Connecting              // Prepare, or dialing
	Connected               // Resume, or the application's function, or closing
	Waiting                 // until State.Until
	Stopped                 // Run has returned, or is about to
)

// String returns the phase in lower case.
func (p Phase) String() string {
	names := [...]string{"idle", "connecting", "connected", "waiting", "stopped"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("Phase(%d)", uint8(p))
}

// State is what a client is doing at a moment.
type State struct {
	// Phase is what it is doing.
	Phase Phase
	// Since is when it began to.
	Since time.Time
	// Until is when it will dial again, in the phase Waiting; else zero.
	Until time.Time
	// Attempt is the number of the attempt, of Connecting and Connected, or of the last one: see Attempt.Number.
	Attempt int
	// Connections is how many connections there were, the one that is open included.
	Connections int
	// Err is why the last attempt failed, or how the last connection ended, in the phases Connecting, Connected and
	// Waiting; nil if neither happened yet. In the phase Stopped it is what Run returns.
	Err error
}

// String is a line for a log or a user.
func (s State) String() string {
	text := s.Phase.String()
	switch s.Phase {
	case Connecting:
		text += fmt.Sprintf(", attempt %d", s.Attempt)
	case Waiting:
		text += fmt.Sprintf(" for %v", s.Until.Sub(s.Since).Round(time.Millisecond))
	}
	if s.Err != nil && s.Phase != Connected {
		text += ": " + s.Err.Error()
	}
	return text
}
