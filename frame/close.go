package frame

import "unicode/utf8"

const (
	// MaxControlPayload is the most bytes a control frame carries (§5.5).
	MaxControlPayload = 125
	// MaxReason is the most bytes a close reason has: 125 less the code.
	MaxReason = MaxControlPayload - 2
)

// ParseClose reads the body of a close frame (§5.5.1). An empty body is valid
// and yields NoStatus. The reason is a view of p. Errors are ErrCloseLength,
// ErrCloseCode and ErrCloseReason.
func ParseClose(p []byte) (code StatusCode, reason []byte, err error) {
	switch len(p) {
	case 0:
		return NoStatus, nil, nil
	case 1:
		return ProtocolError, nil, ErrCloseLength
	}
	code = StatusCode(p[0])<<8 | StatusCode(p[1])
	reason = p[2:]
	if !code.Sendable() {
		return code, reason, ErrCloseCode
	}
	if !utf8.Valid(reason) {
		return code, reason, ErrCloseReason
	}
	return code, reason, nil
}

// AppendClose appends the body of a close frame to dst. NoStatus without a
// reason appends nothing, which is the valid empty body. A code that may not be
// sent, a reason without a code, one of more than MaxReason bytes or one that is
// not UTF-8 is refused, and dst comes back as it was.
func AppendClose(dst []byte, code StatusCode, reason string) ([]byte, error) {
	switch {
	case code == NoStatus && reason == "":
		return dst, nil
	case code == NoStatus:
		return dst, ErrReasonNoCode
	case !code.Sendable():
		return dst, ErrCodeNotSendable
	case len(reason) > MaxReason:
		return dst, ErrReasonTooLong
	case !utf8.ValidString(reason):
		return dst, ErrReasonNotUTF8
	}
	dst = append(dst, byte(code>>8), byte(code))
	return append(dst, reason...), nil
}
