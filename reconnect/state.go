package reconnect

import (
	"fmt"
	"time"
)

// Phase is the phase that a client is in. The zero value is Idle.
type Phase uint8

const (
	Idle       Phase = iota // Run was not called yet
	Connecting              // Prepare runs, or the client dials
	Connected               // Resume or the application's function runs, or the connection is being closed
	Waiting                 // the client will dial at State.Until
	Stopped                 // Run has returned, or is about to
)

// String returns the name of the phase in lower case.
func (p Phase) String() string {
	names := [...]string{"idle", "connecting", "connected", "waiting", "stopped"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("Phase(%d)", uint8(p))
}

// State describes a client at a moment. The zero value is that of a client before Run.
type State struct {
	// Phase is the current phase.
	Phase Phase
	// Since is the time at which it began; zero if Run was not called yet.
	Since time.Time
	// Until is the time of the next dial in the phase Waiting; else zero.
	Until time.Time
	// Attempt is the number of the current or last attempt (see Attempt.Number); 0 after a connection has ended.
	Attempt int
	// Connections is the number of connections since Run was called, including the open one.
	Connections int
	// Err is the error of the last attempt or connection in the phases Connecting, Connected and Waiting; nil if there was none
	// yet. In the phase Stopped it is the error that Run returns.
	Err error
}

// String returns a line for a log or a user, without a line break of its own.
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
