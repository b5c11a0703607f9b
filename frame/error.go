package frame

import "strconv"

// Error is a broken rule of the protocol. The package's errors are fixed values,
// so they can be compared with == or errors.Is and cost no allocation.
type Error struct {
	Code   StatusCode // the status code to fail the connection with (§7.1.7)
	Token  string     // stable short name, for metrics and logs
	Reason string     // what was seen, what was expected, and the section
	Hint   string     // what to do about it; for this side's log, never sent to the peer
}

// Error returns the reason, the hint, and the status code that goes with them, if any.
func (e *Error) Error() string {
	s := "websocket: " + e.Reason
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	if e.Code != 0 {
		s += " (close code " + strconv.Itoa(int(e.Code)) + ")"
	}
	return s
}

// The rules of RFC 6455 that a frame can break.
var (
	ErrReservedBits     = &Error{ProtocolError, "reserved_bits", "reserved bit set without an extension that defines it, §5.2", ""}
	ErrCompressedFrame  = &Error{ProtocolError, "compressed_frame", "RSV1 set on a control or continuation frame, RFC 7692 §6.1", ""}
	ErrReservedOpcode   = &Error{ProtocolError, "reserved_opcode", "reserved opcode, §5.2", ""}
	ErrLengthOverflow   = &Error{ProtocolError, "length_overflow", "payload length has its top bit set, §5.2", ""}
	ErrLengthNotMinimal = &Error{ProtocolError, "length_not_minimal", "payload length not in its shortest form, §5.2", ""}
	ErrUnmasked         = &Error{ProtocolError, "unmasked", "frame from a client is not masked, §5.1", ""}
	ErrMasked           = &Error{ProtocolError, "masked", "frame from a server is masked, §5.1", ""}
	ErrControlTooLong   = &Error{ProtocolError, "control_too_long", "control frame with more than 125 bytes, §5.5", ""}
	ErrControlFragment  = &Error{ProtocolError, "control_fragment", "control frame in fragments, §5.5", ""}
	ErrNoMessage        = &Error{ProtocolError, "no_message", "continuation without a message to continue, §5.4", ""}
	ErrMessagePending   = &Error{ProtocolError, "message_pending", "new message before the fragmented one ended, §5.4", ""}
	ErrCloseLength      = &Error{ProtocolError, "close_length", "close frame with a body of one byte, §5.5.1", ""}
	ErrCloseCode        = &Error{ProtocolError, "close_code", "status code that may not be sent in a close frame, §7.4", ""}
	ErrCloseReason      = &Error{InvalidPayload, "close_reason", "close reason is not UTF-8, §5.5.1", ""}
	ErrInvalidUTF8      = &Error{InvalidPayload, "invalid_utf8", "text is not UTF-8, §8.1", ""}
	ErrMessageTooBig    = &Error{MessageTooBig, "message_too_big", "message exceeds the limit, §10.4", "raise MessageLimit if it is legitimate"}
)

// Errors about a close frame of the caller's own. Nothing is sent, so there is no
// code to fail the connection with.
var (
	ErrCodeNotSendable = &Error{0, "code_not_sendable", "close code that may not be sent, §7.4", "use 1000 to 1003, 1007 to 1014 or 3000 to 4999"}
	ErrReasonTooLong   = &Error{0, "reason_too_long", "close reason longer than 123 bytes, §5.5", "shorten it"}
	ErrReasonNoCode    = &Error{0, "reason_no_code", "close reason without a status code, §5.5.1", "give a code"}
	ErrReasonNotUTF8   = &Error{0, "reason_not_utf8", "close reason is not UTF-8, §5.5.1", "encode it as UTF-8"}
)
