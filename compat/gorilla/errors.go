package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bare"
)

// Errors that calls return as they are, so that they can be compared with ==.
var (
	// ErrBadHandshake: the server's answer to the opening handshake does not accept it. Dial returns the answer, too.
	ErrBadHandshake = errors.New("websocket: bad handshake")
	// ErrCloseSent: a close frame has been sent, and nothing may follow it (RFC 6455 §5.5.1).
	ErrCloseSent = errors.New("websocket: close sent")
	// ErrReadLimit: the peer's message is longer than SetReadLimit allows. The peer was told 1009.
	ErrReadLimit = errors.New("websocket: read limit exceeded")
)

var (
	errUnexpectedEOF       = &CloseError{Code: CloseAbnormalClosure, Text: io.ErrUnexpectedEOF.Error()}
	errWriteTimeout        = &netError{msg: "websocket: write timeout", timeout: true, temporary: true}
	errBadMessageType      = errors.New("websocket: bad write message type")
	errWriterClosed        = errors.New("websocket: write closed")
	errInvalidControlFrame = errors.New("websocket: invalid control frame")
)

// CloseError says that the peer has sent a close frame, or with CloseAbnormalClosure that its stream ended without one.
type CloseError struct {
	Code int    // of the close frame, CloseNoStatusReceived if it has none
	Text string // its reason, "" if it has none
}

// The names of codes in Error.
var codeNames = map[int]string{
	CloseNormalClosure:           "normal",
	CloseGoingAway:               "going away",
	CloseProtocolError:           "protocol error",
	CloseUnsupportedData:         "unsupported data",
	CloseNoStatusReceived:        "no status",
	CloseAbnormalClosure:         "abnormal closure",
	CloseInvalidFramePayloadData: "invalid payload data",
	ClosePolicyViolation:         "policy violation",
	CloseMessageTooBig:           "message too big",
	CloseMandatoryExtension:      "mandatory extension missing",
	CloseInternalServerErr:       "internal server error",
	CloseTLSHandshake:            "TLS handshake error",
}

// Error names the code and the reason.
func (e *CloseError) Error() string {
	s := "websocket: close " + strconv.Itoa(e.Code)
	if name := codeNames[e.Code]; name != "" {
		s += " (" + name + ")"
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// IsCloseError reports whether err is a *CloseError with one of codes. Wrapped errors are not looked into.
func IsCloseError(err error, codes ...int) bool {
	e, ok := err.(*CloseError)
	return ok && contains(codes, e.Code)
}

// IsUnexpectedCloseError reports whether err is a *CloseError with none of expectedCodes. Wrapped errors are not looked
// into.
func IsUnexpectedCloseError(err error, expectedCodes ...int) bool {
	e, ok := err.(*CloseError)
	return ok && !contains(expectedCodes, e.Code)
}

func contains(codes []int, code int) bool {
	for _, c := range codes {
		if c == code {
			return true
		}
	}
	return false
}

// HandshakeError says why Upgrade has refused a request.
type HandshakeError struct{ message string }

// Error returns the reason.
func (e HandshakeError) Error() string { return e.message }

// netError is a net.Error. What a failed connection returns is never temporary, so that nobody tries again.
type netError struct {
	msg                string
	timeout, temporary bool
	err                error
}

func (e *netError) Error() string   { return e.msg }
func (e *netError) Timeout() bool   { return e.timeout }
func (e *netError) Temporary() bool { return e.temporary }
func (e *netError) Unwrap() error   { return e.err }

// final returns err as an error that is not temporary.
func final(err error) error {
	if e, ok := err.(interface {
		net.Error
		Temporary() bool
	}); ok && e.Temporary() {
		return &netError{msg: e.Error(), timeout: e.Timeout(), err: err}
	}
	return err
}

// opError is an error of the socket with the addresses that the net package would name.
func (c *Conn) opError(op string, err error) error {
	if e, ok := err.(*net.OpError); ok {
		return e
	}
	e := &net.OpError{Op: op, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
	if e.Source != nil {
		e.Net = e.Source.Network()
	}
	return e
}

// readError is err of the engine as this package returns it.
func (c *Conn) readError(err error) error {
	if _, ok := err.(*CloseError); ok {
		return err
	}
	switch {
	case err == bare.ErrEnded:
		return errUnexpectedEOF
	case errors.Is(err, frame.ErrMessageTooBig), errors.Is(err, frame.ErrLengthOverflow):
		return ErrReadLimit
	case errors.Is(err, os.ErrDeadlineExceeded):
		return final(c.opError("read", err))
	}
	if _, ok := err.(*conn.CloseError); ok {
		return c.opError("read", net.ErrClosed)
	}
	return final(err)
}

// writeError is err of the engine as this package returns it.
func (c *Conn) writeError(err error) error {
	if isTimeout(err) {
		return final(c.opError("write", os.ErrDeadlineExceeded))
	}
	e, ok := err.(*conn.CloseError)
	switch {
	case !ok:
		return final(err)
	case e.Code != conn.StatusAbnormal:
		return ErrCloseSent
	case e.Err == net.ErrClosed:
		return c.opError("write", net.ErrClosed)
	}
	return final(e.Err)
}

// isTimeout reports whether a write deadline has passed.
func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
