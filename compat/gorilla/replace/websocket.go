// Package websocket takes the place of github.com/gorilla/websocket by a line in go.mod:
//
//	replace github.com/gorilla/websocket => github.com/seed-c4549abd/wss/compat/gorilla/replace v0.1.0
//
// Its types are those of github.com/seed-c4549abd/wss/compat/gorilla, so values pass from one to the other, and that
// package's documentation is this one's.
package websocket

import (
	"io"
	"net"
	"net/http"
	"net/url"

	wss "github.com/seed-c4549abd/wss/compat/gorilla"
)

// Close codes (RFC 6455 §7.4.1).
const (
	CloseNormalClosure           = wss.CloseNormalClosure
	CloseGoingAway               = wss.CloseGoingAway
	CloseProtocolError           = wss.CloseProtocolError
	CloseUnsupportedData         = wss.CloseUnsupportedData
	CloseNoStatusReceived        = wss.CloseNoStatusReceived
	CloseAbnormalClosure         = wss.CloseAbnormalClosure
	CloseInvalidFramePayloadData = wss.CloseInvalidFramePayloadData
	ClosePolicyViolation         = wss.ClosePolicyViolation
	CloseMessageTooBig           = wss.CloseMessageTooBig
	CloseMandatoryExtension      = wss.CloseMandatoryExtension
	CloseInternalServerErr       = wss.CloseInternalServerErr
	CloseServiceRestart          = wss.CloseServiceRestart
	CloseTryAgainLater           = wss.CloseTryAgainLater
	CloseTLSHandshake            = wss.CloseTLSHandshake
)

// Types of messages (RFC 6455 §11.8).
const (
	TextMessage   = wss.TextMessage
	BinaryMessage = wss.BinaryMessage
	CloseMessage  = wss.CloseMessage
	PingMessage   = wss.PingMessage
	PongMessage   = wss.PongMessage
)

// Types. See the package that they are from.
type (
	BufferPool      = wss.BufferPool
	CloseError      = wss.CloseError
	Conn            = wss.Conn
	Dialer          = wss.Dialer
	HandshakeError  = wss.HandshakeError
	PreparedMessage = wss.PreparedMessage
	Upgrader        = wss.Upgrader
)

// The same values as in the package that they are from. What is assigned to DefaultDialer is seen by this package's users only.
var (
	DefaultDialer   = wss.DefaultDialer
	ErrBadHandshake = wss.ErrBadHandshake
	ErrCloseSent    = wss.ErrCloseSent
	ErrReadLimit    = wss.ErrReadLimit
)

// FormatCloseMessage returns the payload of a close frame.
func FormatCloseMessage(closeCode int, text string) []byte {
	return wss.FormatCloseMessage(closeCode, text)
}

// IsCloseError reports whether err is a *CloseError with one of codes.
func IsCloseError(err error, codes ...int) bool { return wss.IsCloseError(err, codes...) }

// IsUnexpectedCloseError reports whether err is a *CloseError with none of expectedCodes.
func IsUnexpectedCloseError(err error, expectedCodes ...int) bool {
	return wss.IsUnexpectedCloseError(err, expectedCodes...)
}

// IsWebSocketUpgrade reports whether the client asks for a WebSocket.
func IsWebSocketUpgrade(r *http.Request) bool { return wss.IsWebSocketUpgrade(r) }

// JoinMessages returns a reader of the data of all messages that are received, each followed by term.
func JoinMessages(c *Conn, term string) io.Reader { return wss.JoinMessages(c, term) }

// NewClient performs the client's opening handshake on a connection.
//
// Deprecated: use Dialer.
func NewClient(netConn net.Conn, u *url.URL, requestHeader http.Header, readBufSize, writeBufSize int) (c *Conn, response *http.Response, err error) {
	return wss.NewClient(netConn, u, requestHeader, readBufSize, writeBufSize)
}

// NewPreparedMessage makes a message for many connections.
func NewPreparedMessage(messageType int, data []byte) (*PreparedMessage, error) {
	return wss.NewPreparedMessage(messageType, data)
}

// ReadJSON calls c.ReadJSON.
//
// Deprecated: use c.ReadJSON.
func ReadJSON(c *Conn, v any) error { return c.ReadJSON(v) }

// Subprotocols returns what the client offers, in its order.
func Subprotocols(r *http.Request) []string { return wss.Subprotocols(r) }

// Upgrade makes a connection of a request, without a check of its origin.
//
// Deprecated: use Upgrader.
func Upgrade(w http.ResponseWriter, r *http.Request, responseHeader http.Header, readBufSize, writeBufSize int) (*Conn, error) {
	return wss.Upgrade(w, r, responseHeader, readBufSize, writeBufSize)
}

// WriteJSON calls c.WriteJSON.
//
// Deprecated: use c.WriteJSON.
func WriteJSON(c *Conn, v any) error { return c.WriteJSON(v) }
