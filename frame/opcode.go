package frame

import "strconv"

// Opcode says what a frame carries (RFC 6455 §5.2, §11.8). Only the low four
// bits exist on the wire. The zero value is Continuation.
type Opcode uint8

// The opcodes that RFC 6455 defines; all others are reserved and refused.
const (
	Continuation Opcode = 0x0 // further fragment of a message
	Text         Opcode = 0x1 // first or only fragment of a UTF-8 message
	Binary       Opcode = 0x2 // first or only fragment of a binary message
	Close        Opcode = 0x8 // closing handshake, §5.5.1
	Ping         Opcode = 0x9 // §5.5.2
	Pong         Opcode = 0xA // §5.5.3
)

// IsControl reports whether o lies in the control range 0x8–0xF (§5.5).
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// IsReserved reports whether RFC 6455 leaves o undefined.
func (o Opcode) IsReserved() bool { return o > Binary && o < Close || o > Pong }

// String returns the opcode's name, or its number where it has none.
func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "opcode(" + strconv.Itoa(int(o)) + ")"
}

// Role is the part an endpoint plays in a connection. The zero value is Server.
type Role uint8

// The two roles. A client masks what it sends, a server must not (§5.1).
const (
	Server Role = iota
	Client
)

// Peer returns the other role.
func (r Role) Peer() Role { return r ^ 1 }

// String returns "server" or "client".
func (r Role) String() string {
	if r == Client {
		return "client"
	}
	return "server"
}
