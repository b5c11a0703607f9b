package frame

import "strconv"

// Error is a broken rule of the protocol. The package's errors are fixed values,
// so they can be compared with == or errors.Is and cost no allocation.
type Error struct {
	Code   StatusCode // the status code to fail the connection with (§7.1.7)
	Token  string     // stable short name, for metrics and logs
	Reason string     // what was seen, what was expected, and the section
}

// Error returns the reason with the status code that goes with it.
func (e *Error) Error() string {
	return "websocket: " + e.Reason + " (close code " + strconv.Itoa(int(e.Code)) + ")"
}

// The rules of RFC 6455 that a frame can break.
var (
	ErrReservedBits     = &Error{ProtocolError, "reserved_bits", "reserved bit set without an extension that defines it, §5.2"}
	ErrCompressedFrame  = &Error{ProtocolError, "compressed_frame", "RSV1 set on a control or continuation frame, RFC 7692 §6.1"}
	ErrReservedOpcode   = &Error{ProtocolError, "reserved_opcode", "reserved opcode, §5.2"}
	ErrLengthOverflow   = &Error{ProtocolError, "length_overflow", "payload length has its top bit set, §5.2"}
	ErrLengthNotMinimal = &Error{ProtocolError, "length_not_minimal", "payload length not in its shortest form, §5.2"}
	ErrUnmasked         = &Error{ProtocolError, "unmasked", "frame from a client is not masked, §5.1"}
	ErrMasked           = &Error{ProtocolError, "masked", "frame from a server is masked, §5.1"}
	ErrControlTooLong   = &Error{ProtocolError, "control_too_long", "control frame with more than 125 bytes, §5.5"}
	ErrControlFragment  = &Error{ProtocolError, "control_fragment", "control frame in fragments, §5.5"}
	ErrNoMessage        = &Error{ProtocolError, "no_message", "continuation without a message to continue, §5.4"}
	ErrMessagePending   = &Error{ProtocolError, "message_pending", "new message before the fragmented one ended, §5.4"}
	ErrCloseLength      = &Error{ProtocolError, "close_length", "close frame with a body of one byte, §5.5.1"}
	ErrCloseCode        = &Error{ProtocolError, "close_code", "status code that may not be sent in a close frame, §7.4"}
	ErrCloseReason      = &Error{InvalidPayload, "close_reason", "close reason is not UTF-8, §5.5.1"}
	ErrInvalidUTF8      = &Error{InvalidPayload, "invalid_utf8", "text is not UTF-8, §8.1"}
	ErrMessageTooBig    = &Error{MessageTooBig, "message_too_big", "message exceeds the limit; raise MessageLimit if it is legitimate, §10.4"}
)

// What a caller can get wrong about a close frame of its own.
var (
	ErrReasonTooLong = &Error{InternalError, "reason_too_long", "close reason longer than 123 bytes; shorten it, §5.5"}
	ErrReasonNoCode  = &Error{InternalError, "reason_no_code", "close reason without a status code; give a code, §5.5.1"}
)
