package main

import (
	"strings"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
)

// violation is a frame that breaks a rule, and what the server has to say to it.
type violation struct {
	code  conn.StatusCode
	token string
	frame []byte
}

// masked returns a frame as a client sends it, with a key of zeros.
func masked(h frame.Header, payload string) []byte {
	h.Masked, h.Length = true, int64(len(payload))
	return append(h.Append(nil), payload...)
}

// violations are rules of RFC 6455 §5 and §8.1, one each.
var violations = []violation{
	{conn.StatusProtocolError, "reserved_bits", masked(frame.Header{Fin: true, Opcode: frame.Binary, RSV: frame.RSV2}, "bits")},
	{conn.StatusProtocolError, "reserved_opcode", masked(frame.Header{Fin: true, Opcode: 3}, "what")},
	{conn.StatusProtocolError, "unmasked", []byte{0x82, 4, 'b', 'a', 'r', 'e'}},
	{conn.StatusProtocolError, "control_too_long", masked(frame.Header{Fin: true, Opcode: frame.Ping}, strings.Repeat("p", 126))},
	{conn.StatusProtocolError, "control_fragment", masked(frame.Header{Opcode: frame.Ping}, "half")},
	{conn.StatusProtocolError, "no_message", masked(frame.Header{Fin: true}, "rest")},
	{conn.StatusProtocolError, "length_not_minimal", []byte{0x82, 0xfe, 0, 5, 0, 0, 0, 0, 1, 2, 3, 4, 5}},
	{conn.StatusProtocolError, "close_code", masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xed")}, // 1005
	{conn.StatusInvalidPayload, "invalid_utf8", masked(frame.Header{Fin: true, Opcode: frame.Text}, "\xff")},
	{conn.StatusMessageTooBig, "message_too_big", []byte{0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
}

// halfFrame is the beginning of a frame that never goes on.
func halfFrame() []byte {
	return masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("half", 200))[:400]
}
