package conn

import (
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// Prepared is a message that is framed once, and compressed once for each set of
// parameters, to be sent to many connections with [Conn.Send]. It does not change,
// and any number of goroutines may use it. The zero value is no message: Send returns
// ErrMessageType. A connection that cannot take it at once
// keeps a reference, not a copy.
type Prepared struct{ m outbox.Message }

// Prepare makes a message to be sent to many connections. data is copied. The error is
// ErrMessageType, or ErrInvalidUTF8 for text that is not UTF-8.
func Prepare(typ MessageType, data []byte, options ...WriteOption) (*Prepared, error) {
	if err := typ.check(data); err != nil {
		return nil, err
	}
	p := new(Prepared)
	p.m.Init(frame.Opcode(typ), data, isUncompressed(options))
	return p, nil
}

// Type returns the message's type.
func (p *Prepared) Type() MessageType { return MessageType(p.m.Opcode()) }

// Len returns the bytes of the message's payload, uncompressed.
func (p *Prepared) Len() int { return p.m.Len() }
