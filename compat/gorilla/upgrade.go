package websocket

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
)

// Upgrader makes WebSocket connections of HTTP requests. Its methods may be called by any number of goroutines. The zero
// value is usable.
type Upgrader struct {
	// HandshakeTimeout bounds sending the response. Zero or less: no limit.
	HandshakeTimeout time.Duration

	// WriteBufferSize is the size in bytes from which NextWriter sends fragments. Zero or less: 4096; at most 1 MiB.
	// ReadBufferSize is ignored: a connection borrows a buffer for reading while there is something to read.
	ReadBufferSize, WriteBufferSize int

	// WriteBufferPool is where NextWriter takes its buffer from until the message is closed. Nil: a pool that all
	// connections share.
	WriteBufferPool BufferPool

	// Subprotocols are what the server speaks, in the order of preference: the first that the client offers is agreed on.
	// Nil: what the Sec-Websocket-Protocol of the response's header says.
	Subprotocols []string

	// Error answers a request that is refused. Nil: http.Error with the status' text.
	Error func(w http.ResponseWriter, r *http.Request, status int, reason error)

	// CheckOrigin reports whether a page of the request's Origin may connect. Whoever lets any page connect lets it use the
	// cookies of its visitors. Nil: the host of Origin must equal that of the request, if there is an Origin.
	CheckOrigin func(r *http.Request) bool

	// EnableCompression agrees to permessage-deflate, without context takeover, if the client offers it.
	EnableCompression bool
}

// Upgrade takes the connection of a request over and sends the 101 response, with responseHeader in it, which may be nil. A
// request that is not acceptable is answered by Error; the error is a HandshakeError.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request, responseHeader http.Header) (*Conn, error) {
	if status, reason := u.check(r, responseHeader); reason != "" {
		return nil, u.refuse(w, r, status, reason)
	}
	e := established{
		role: frame.Server, subprotocol: u.selectSubprotocol(r, responseHeader), bufferSize: u.WriteBufferSize, pool: u.WriteBufferPool,
	}
	var extension handshake.Extension
	if u.EnableCompression {
		extension, e.deflate = acceptDeflate(r.Header)
	}
	nc, brw, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil, u.refuse(w, r, http.StatusInternalServerError, "websocket: response does not implement http.Hijacker")
	} else if err != nil {
		return nil, u.refuse(w, r, http.StatusInternalServerError, err.Error())
	}
	e.nc = nc
	e.received, _ = brw.Reader.Peek(brw.Reader.Buffered())
	e.response = appendResponse(nil, r, e.subprotocol, extension, responseHeader)
	_ = nc.SetDeadline(time.Time{}) // those of the http.Server
	c := newConn(e)                 // before the client learns that it is open
	deadline := int64(noDeadline)
	if u.HandshakeTimeout > 0 {
		deadline = numberOf(time.Now().Add(u.HandshakeTimeout))
	}
	ctx := contextUntil(deadline)
	defer release(ctx)
	if err := c.engine.Flush(ctx); err != nil {
		_ = c.Close()
		return nil, c.writeError(err)
	}
	return c, nil
}

const notWebSocket = "websocket: the client is not using the websocket protocol: "

// check returns why a request is refused, and with which status; "" if it is not.
func (u *Upgrader) check(r *http.Request, responseHeader http.Header) (status int, reason string) {
	checkOrigin := u.CheckOrigin
	if checkOrigin == nil {
		checkOrigin = sameOrigin
	}
	switch {
	case !hasToken(r.Header, "Connection", "upgrade"):
		return http.StatusBadRequest, notWebSocket + "'upgrade' token not found in 'Connection' header"
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusBadRequest, notWebSocket + "'websocket' token not found in 'Upgrade' header"
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, notWebSocket + "request method is not GET"
	case !hasToken(r.Header, "Sec-Websocket-Version", "13"):
		return http.StatusBadRequest, "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header"
	case responseHeader["Sec-Websocket-Extensions"] != nil:
		return http.StatusInternalServerError, "websocket: application specific 'Sec-WebSocket-Extensions' headers are unsupported"
	case !checkOrigin(r):
		return http.StatusForbidden, "websocket: request origin not allowed by Upgrader.CheckOrigin"
	case !validKey(r.Header.Get("Sec-Websocket-Key")):
		return http.StatusBadRequest, "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded value of 16-byte in length"
	}
	return 0, ""
}

// refuse answers a request that is not acceptable.
func (u *Upgrader) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) error {
	err := HandshakeError{reason}
	if u.Error != nil {
		u.Error(w, r, status, err)
		return err
	}
	w.Header().Set("Sec-Websocket-Version", "13")
	http.Error(w, http.StatusText(status), status)
	return err
}

// selectSubprotocol returns the subprotocol to agree on.
func (u *Upgrader) selectSubprotocol(r *http.Request, responseHeader http.Header) string {
	if u.Subprotocols == nil {
		return responseHeader.Get("Sec-Websocket-Protocol")
	}
	offered := Subprotocols(r)
	for _, ours := range u.Subprotocols {
		for _, theirs := range offered {
			if ours == theirs {
				return ours
			}
		}
	}
	return ""
}

// sameOrigin is the default of CheckOrigin.
func sameOrigin(r *http.Request) bool {
	origin := r.Header["Origin"]
	if len(origin) == 0 {
		return true
	}
	u, err := url.Parse(origin[0])
	return err == nil && equalFoldASCII(u.Host, r.Host)
}

// Upgrade is Upgrader.Upgrade without a check of the origin and without an answer to a request that is refused.
//
// Deprecated: use Upgrader.
func Upgrade(w http.ResponseWriter, r *http.Request, responseHeader http.Header, readBufSize, writeBufSize int) (*Conn, error) {
	u := Upgrader{
		ReadBufferSize: readBufSize, WriteBufferSize: writeBufSize,
		CheckOrigin: func(*http.Request) bool { return true },
		Error:       func(http.ResponseWriter, *http.Request, int, error) {},
	}
	return u.Upgrade(w, r, responseHeader)
}

// Subprotocols returns what the client offers, in its order.
func Subprotocols(r *http.Request) []string {
	value := strings.TrimSpace(r.Header.Get("Sec-Websocket-Protocol"))
	if value == "" {
		return nil
	}
	offered := strings.Split(value, ",")
	for i, name := range offered {
		offered[i] = strings.TrimSpace(name)
	}
	return offered
}

// IsWebSocketUpgrade reports whether the client asks for a WebSocket.
func IsWebSocketUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}
