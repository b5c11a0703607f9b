package conn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// HandshakeError is a refused opening handshake, on either side, with the HTTP
// status (RFC 6455 §4).
type HandshakeError = handshake.Error

// StatusCode tells why a connection was closed (RFC 6455 §7.4).
type StatusCode = frame.StatusCode

// Status codes (RFC 6455 §7.4.1). StatusNoStatus and StatusAbnormal are reported,
// never sent.
const (
	StatusNormalClosure      = frame.NormalClosure
	StatusGoingAway          = frame.GoingAway
	StatusProtocolError      = frame.ProtocolError
	StatusUnsupportedData    = frame.UnsupportedData
	StatusNoStatus           = frame.NoStatus
	StatusAbnormal           = frame.Abnormal
	StatusInvalidPayload     = frame.InvalidPayload
	StatusPolicyViolation    = frame.PolicyViolation
	StatusMessageTooBig      = frame.MessageTooBig
	StatusMandatoryExtension = frame.MandatoryExtension
	StatusInternalError      = frame.InternalError
	StatusServiceRestart     = frame.ServiceRestart
	StatusTryAgainLater      = frame.TryAgainLater
)

// Errors that calls return, or that a CloseError wraps.
var (
	// ErrMessageTooBig: the peer's message exceeds MessageLimit (status 1009).
	ErrMessageTooBig error = frame.ErrMessageTooBig
	// ErrCompressedData: the peer's compressed message is corrupt, ends too early or
	// looks back farther than was agreed (status 1007).
	ErrCompressedData error = &frame.Error{
		Code: frame.InvalidPayload, Token: "compressed_data", Reason: "compressed message is not valid, RFC 7692 §7.2.2",
	}
	// errWasteful: a compressed message takes far more bytes than what comes of it (status 1009).
	errWasteful error = &frame.Error{
		Code: frame.MessageTooBig, Token: "compressed_waste", Reason: "compressed message is longer than 64 KiB plus 8 bytes for each inflated byte",
	}
	// ErrPingTimeout: the peer left a keepalive ping unanswered.
	ErrPingTimeout = errors.New("websocket: no answer to a ping in time")
	// ErrCloseTimeout: the peer did not take part in the closing handshake in time.
	ErrCloseTimeout = errors.New("websocket: no answer to the close frame in time")
	// ErrMessageUnfinished: a message that is being streamed was not read to its
	// end. Read on, or call MessageReader.Discard.
	ErrMessageUnfinished = errors.New("websocket: the message before is not read to its end; read on or call Discard")
	// ErrWriterClosed: a MessageWriter was used after Close.
	ErrWriterClosed = errors.New("websocket: write to a message that is finished")
	// ErrQueueFull: QueueLimit bytes wait for a peer that takes them too slowly
	// (status 1013).
	ErrQueueFull = errors.New("websocket: the queue is full, the peer does not take what is sent")
	// ErrTooSlow: a message arrives with less than MinRate (status 1008).
	ErrTooSlow = errors.New("websocket: the message arrives too slowly; lower MinRate if it is legitimate")
	// ErrInvalidUTF8: a text message is not UTF-8: one that came (status 1007), or one that
	// was to be sent, of which nothing is; then the connection goes on.
	ErrInvalidUTF8 error = frame.ErrInvalidUTF8
	// ErrServing: Serve or ServeInBackground reads from the connection, and hands what comes to its callback.
	ErrServing = errors.New("websocket: Serve or ServeInBackground reads from this connection; use the message that its callback is given")
	// ErrUnread: the HTTP handler has returned, and nobody reads from the connection (status 1011).
	ErrUnread = errors.New("websocket: the handler has returned and nobody reads; read until the connection ends, or call ServeInBackground or CloseRead")
	// ErrMessageType: a message is neither Text nor Binary.
	ErrMessageType = errors.New("websocket: message type is neither Text nor Binary")
)

// CloseError says how a connection ended. It is what every call returns from then
// on, and errors.Is(err, net.ErrClosed) holds for it whoever closed: Remote tells. It unwraps to the cause: a broken rule (*frame.Error), ErrMessageTooBig,
// ErrPingTimeout, ErrCloseTimeout, ErrQueueFull, ErrTooSlow, ErrUnread; Err is net.ErrClosed if this
// side closed (Close, CloseNow, Group.Shutdown, MaxAge),
// io.ErrUnexpectedEOF when the stream broke off, or what the network reported.
type CloseError struct {
	Code   StatusCode // as sent or received; StatusAbnormal if no close frame was
	Reason string     // what the close frame gave as reason, at most 123 bytes
	Remote bool       // the peer sent this code; otherwise this side found it
	Err    error      // cause, if there is more to say
}

// Error names the code, who closed, the reason and the cause.
func (e *CloseError) Error() string {
	var b strings.Builder
	b.WriteString("websocket: closed ")
	switch {
	case e.Remote:
		b.WriteString("by the peer ")
	case e.Code == StatusAbnormal:
		b.WriteString("without a closing handshake ")
	}
	fmt.Fprintf(&b, "with code %v", e.Code)
	if e.Reason != "" {
		fmt.Fprintf(&b, " and reason %q", e.Reason)
	}
	switch {
	case e.Err == net.ErrClosed:
		b.WriteString(", by this side")
	case e.Err != nil:
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *CloseError) Unwrap() error { return e.Err }

// Is reports that every use of a connection after its end is net.ErrClosed, whoever has ended it.
func (e *CloseError) Is(target error) bool { return target == net.ErrClosed }

// Token is a short stable name of how the connection ended, for metrics: that of the
// broken rule (frame.Error's Token); "peer" if the peer closed; "local" if this side
// did; "ping_timeout", "close_timeout", "queue_full", "too_slow", "unread"; "truncated" if the stream
// broke off; "no_progress" if TLS cannot go on; and "network" for what the network reported.
func (e *CloseError) Token() string {
	if rule, ok := errors.AsType[*frame.Error](e.Err); ok {
		return rule.Token
	}
	for _, known := range []struct {
		err   error
		token string
	}{
		{ErrPingTimeout, "ping_timeout"}, {ErrCloseTimeout, "close_timeout"}, {ErrQueueFull, "queue_full"},
		{ErrTooSlow, "too_slow"}, {ErrUnread, "unread"}, {transport.ErrNoProgress, "no_progress"},
		{net.ErrClosed, "local"}, {io.ErrUnexpectedEOF, "truncated"},
	} {
		if errors.Is(e.Err, known.err) {
			return known.token
		}
	}
	if e.Remote {
		return "peer"
	}
	return "network"
}

// CloseStatus returns the status code of the *CloseError in err's tree, or 0 if
// there is none.
func CloseStatus(err error) StatusCode {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e.Code
	}
	return 0
}

// InterruptedError is returned by a write whose context ended when its message
// had begun to be sent. Do not send the message again.
//
// If Closed is false, the message was accepted whole: Pending bytes of ciphertext
// wait for the peer, are sent before anything else, and the connection is
// usable. If Closed is true, a frame was cut in half and the connection is gone;
// that happens on a transport that cannot be resumed (TLS without NewListener).
//
// It unwraps to the context's error.
type InterruptedError struct {
	Pending int64 // bytes, TLS included
	Closed  bool
	Err     error
}

// Error says what became of the message.
func (e *InterruptedError) Error() string {
	if e.Closed {
		return fmt.Sprintf("websocket: write interrupted inside a frame, connection closed: %v", e.Err)
	}
	return fmt.Sprintf("websocket: write interrupted, the message is queued (%d bytes wait for the peer): %v", e.Pending, e.Err)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.Err }
