package suite

import (
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"
)

// Kinds of events, as the original's reports name them.
const (
	kindMessage = "message"
	kindPong    = "pong"
	kindTimeout = "timeout"
)

// Event is something that came from the peer, or a wait that passed with the connection still open.
type Event struct {
	// Kind is "message", "pong" or "timeout".
	Kind string
	// Payload is that of the message or pong, or the name of the wait.
	Payload string
	// Binary says which of the two kinds of messages it was.
	Binary bool
}

func message(payload string) Event { return Event{Kind: kindMessage, Payload: payload} }
func blob(payload string) Event    { return Event{Kind: kindMessage, Payload: payload, Binary: true} }
func pong(payload string) Event    { return Event{Kind: kindPong, Payload: payload} }
func timeout(name string) Event    { return Event{Kind: kindTimeout, Payload: name} }

// MarshalJSON writes an array, as the original does: the kind, the payload, and for a message whether it is binary.
func (e Event) MarshalJSON() ([]byte, error) {
	switch e.Kind {
	case kindMessage:
		return json.Marshal([]any{e.Kind, excerpt(e.Payload), e.Binary})
	case kindTimeout:
		return json.Marshal([]any{e.Kind, e.Payload})
	}
	return json.Marshal([]any{e.Kind, excerpt(e.Payload)})
}

// excerptLength is how many bytes of a payload a report shows.
const excerptLength = 64

// excerpt is a payload as reports show it: text if it is UTF-8, hexadecimal with 0x before it otherwise.
func excerpt(payload string) string {
	shown, dots := shorten(payload)
	if !utf8.ValidString(shown) {
		return "0x" + hex.EncodeToString([]byte(shown)) + dots
	}
	return shown + dots
}

// hexExcerpt is the beginning of octets as they were on the wire.
func hexExcerpt(octets string) string {
	shown, dots := shorten(octets)
	return hex.EncodeToString([]byte(shown)) + dots
}

func shorten(s string) (shown, dots string) {
	const mark = " ..."
	if len(s) <= excerptLength-len(mark) {
		return s, ""
	}
	return s[:min(len(s), excerptLength)], mark
}
