package suite

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
)

// Direction says who sent what a line of a log is about.
type Direction string

// The directions. The empty one is for what happened within the suite.
const (
	Sent     Direction = "sent"     // by the suite
	Received Direction = "received" // from the peer
)

// LogLine is an entry of a wire log for people.
type LogLine struct {
	Direction Direction
	// What is "octets" for a read or a write, else the frame's opcode, or what happened.
	What string
	// Flags are those of a frame's header: FIN, RSV1 to RSV3, MASK with the key. Empty: none, or no frame.
	Flags string
	// Length is that of the octets or of the payload.
	Length int
	// Payload is its beginning, as text if it is UTF-8, else in hexadecimal. It holds whatever the peer sent: escape it.
	Payload string
}

// String is the line in one line of text, with what cannot be printed escaped.
func (l LogLine) String() string {
	mark := map[Direction]string{Sent: "->", Received: "<-"}[l.Direction]
	if l.Direction == "" {
		return "   " + visible(l.What)
	}
	text := fmt.Sprintf("%s %s, %d octets", mark, l.What, l.Length)
	if l.Flags != "" {
		text += ", " + l.Flags
	}
	if l.Payload != "" {
		text += ": " + visible(l.Payload)
	}
	return text
}

// frameLine is the line of a frame.
func frameLine(d Direction, h *frame.Header, length int, payload string) LogLine {
	var flags []string
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{h.Fin, "FIN"}, {h.RSV&frame.RSV1 != 0, "RSV1"}, {h.RSV&frame.RSV2 != 0, "RSV2"}, {h.RSV&frame.RSV3 != 0, "RSV3"},
		{h.Masked, fmt.Sprintf("MASK %x", h.Key)},
	} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return LogLine{
		Direction: d, What: h.Opcode.String(), Flags: strings.Join(flags, " "), Length: length,
		Payload: framePayload(h.Opcode, payload),
	}
}

// framePayload is the beginning of a payload. Of a close frame the status code is shown as a number.
func framePayload(o frame.Opcode, payload string) string {
	if o == frame.Close && len(payload) >= 2 {
		text := fmt.Sprint(binary.BigEndian.Uint16([]byte(payload)))
		if len(payload) > 2 {
			text += " " + excerpt(payload[2:])
		}
		return text
	}
	return excerpt(payload)
}

// waited says what an entry about a wait means.
func waited(kind string, rest []any) string {
	switch kind {
	case "CT":
		return fmt.Sprintf("waiting %v s (%v)", rest...)
	case "CTE":
		return fmt.Sprintf("the wait is over (%v)", rest...)
	case "KL":
		return fmt.Sprintf("the connection will be failed in %v s", rest...)
	case "KLE":
		return "the time is over"
	case "TI":
		return fmt.Sprintf("a closing handshake will begin in %v s", rest...)
	case "TIE":
		return "the closing handshake begins, as the time is over"
	case "WLM":
		if rest[0] == true {
			return "what follows is logged again"
		}
		return "what follows is not logged"
	}
	return kind
}

// visible escapes what cannot be seen or would change how a text is shown: control characters but for line feeds and tabs,
// octets that are no UTF-8, and characters that turn the direction of writing.
func visible(s string) string {
	var out strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var c rune
		c, size = utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case c == '\n' || c == '\t':
			out.WriteRune(c)
		case c < ' ' || c >= 0x7F && c < 0xA0:
			fmt.Fprintf(&out, `\x%02x`, c)
		case c >= 0x200B && c <= 0x200F || c >= 0x2028 && c <= 0x202E || c >= 0x2060 && c <= 0x206F || c == 0xFEFF || c&0xFFFE == 0xFFFE:
			fmt.Fprintf(&out, `\u{%04x}`, c)
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// WireLog returns what happened on the connection, as far as it was logged.
func (r *Result) WireLog() []LogLine { return r.log.lines }
