package conn

import "github.com/seed-c4549abd/wss/frame"

// MessageType is the type of a data message (RFC 6455 §5.6). The zero value is
// not valid.
type MessageType uint8

// The types of messages.
const (
	Text   MessageType = MessageType(frame.Text)   // UTF-8; validated in both directions
	Binary MessageType = MessageType(frame.Binary) // any bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string { return frame.Opcode(t).String() }

func (t MessageType) valid() bool { return t == Text || t == Binary }

// check says why p cannot be sent as a whole message of this type.
func (t MessageType) check(p []byte) error {
	switch t {
	case Binary:
		return nil
	case Text:
		var text frame.UTF8
		if _, ok := text.Write(p); !ok || !text.Complete() {
			return ErrInvalidUTF8
		}
		return nil
	}
	return ErrMessageType
}

// Message is a whole message. Data's owner depends on the call that returned it.
type Message struct {
	Type MessageType
	Data []byte
}
