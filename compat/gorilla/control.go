package websocket

import (
	"encoding/binary"
	"errors"
	"net"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// handlerTimeout is how long the default handlers wait for a peer that takes nothing.
const handlerTimeout = time.Second

// control is a Conn as the handler of the engine.
type control Conn

// Ping calls the handler. Without one the engine answers, which never waits.
func (h *control) Ping(payload []byte) (answer bool, err error) {
	if h.handlePing == nil {
		return true, nil
	}
	return false, h.handlePing(string(payload))
}

// Pong calls the handler.
func (h *control) Pong(payload []byte) error {
	if h.handlePong == nil {
		return nil
	}
	return h.handlePong(string(payload))
}

// Close calls the handler, and returns what the peer said.
func (h *control) Close(code frame.StatusCode, reason string) error {
	if err := (*Conn)(h).CloseHandler()(int(code), reason); err != nil {
		return err
	}
	return &CloseError{Code: int(code), Text: reason}
}

// CloseHandler returns the handler of close frames.
func (c *Conn) CloseHandler() func(code int, text string) error {
	if c.handleClose == nil {
		return c.answerClose
	}
	return c.handleClose
}

// SetCloseHandler sets the function that is called for the peer's close frame, by the goroutine that reads. code is
// CloseNoStatusReceived if the frame has none. After it, the read returns a *CloseError, or the function's error. The
// default, which nil restores, answers with the same code; a function in its place should do that, too.
func (c *Conn) SetCloseHandler(h func(code int, text string) error) { c.handleClose = h }

// PingHandler returns the handler of pings.
func (c *Conn) PingHandler() func(appData string) error {
	if c.handlePing == nil {
		return c.answerPing
	}
	return c.handlePing
}

// SetPingHandler sets the function that is called for a ping, by the goroutine that reads, with the ping's payload. An
// error ends the read. The default, which nil restores, sends the pong.
func (c *Conn) SetPingHandler(h func(appData string) error) { c.handlePing = h }

// PongHandler returns the handler of pongs.
func (c *Conn) PongHandler() func(appData string) error {
	if c.handlePong == nil {
		return func(string) error { return nil }
	}
	return c.handlePong
}

// SetPongHandler sets the function that is called for a pong, by the goroutine that reads, with the pong's payload. An
// error ends the read. The default, which nil restores, does nothing.
func (c *Conn) SetPongHandler(h func(appData string) error) { c.handlePong = h }

// answerClose is the default handler of close frames. Whether the answer can be sent does not matter any more.
func (c *Conn) answerClose(code int, _ string) error {
	_ = c.WriteControl(CloseMessage, FormatCloseMessage(code, ""), time.Now().Add(handlerTimeout))
	return nil
}

// answerPing is what PingHandler returns for the default.
func (c *Conn) answerPing(appData string) error {
	err := c.WriteControl(PongMessage, []byte(appData), time.Now().Add(handlerTimeout))
	if err == ErrCloseSent || err == errWriteTimeout {
		return nil
	}
	return err
}

// FormatCloseMessage returns the payload of a close frame. It is empty, and not nil, for CloseNoStatusReceived.
func FormatCloseMessage(closeCode int, text string) []byte {
	if closeCode == CloseNoStatusReceived {
		return []byte{}
	}
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(text)), uint16(closeCode)), text...)
}

// WriteControl sends a CloseMessage, PingMessage or PongMessage with a payload of at most 125 bytes. It may be called at any
// time. If the deadline passes while earlier frames wait for the peer, nothing is sent, and the connection can be used. The
// zero time is no deadline. After a CloseMessage all writes return ErrCloseSent. A payload that may not stand in a close
// frame is refused (RFC 6455 §5.5.1, §7.4).
func (c *Conn) WriteControl(messageType int, data []byte, deadline time.Time) error {
	return c.writeControl(messageType, data, numberOf(deadline), c.controlWritten)
}

// writeControl is WriteControl. written returns the engine's error as this package does.
func (c *Conn) writeControl(messageType int, data []byte, deadline int64, written func(error) error) error {
	switch {
	case !isControl(messageType):
		return errBadMessageType
	case len(data) > frame.MaxControlPayload:
		return errInvalidControlFrame
	}
	if err := c.writeErr.Load(); err != nil {
		return *err
	}
	ctx := contextUntil(deadline)
	defer release(ctx)
	if messageType != CloseMessage {
		return written(c.engine.WriteControl(ctx, frame.Opcode(messageType), data))
	}
	code, reason, err := sendableClose(data)
	if err != nil {
		return err
	}
	err = c.engine.WriteClose(ctx, code, reason)
	if err == nil {
		c.failWrites(ErrCloseSent)
	}
	return written(err)
}

// sendableClose parses the payload of a close frame that is to be sent.
func sendableClose(data []byte) (frame.StatusCode, string, error) {
	if len(data) == 1 {
		return 0, "", errInvalidControlFrame
	}
	code, reason := frame.NoStatus, ""
	if len(data) > 1 {
		code, reason = frame.StatusCode(binary.BigEndian.Uint16(data)), string(data[2:])
		if !code.Sendable() {
			return 0, "", frame.ErrCodeNotSendable
		}
	}
	_, err := frame.AppendClose(nil, code, reason)
	return code, reason, err
}

// controlWritten is wrote for WriteControl: a deadline that passes leaves the connection usable.
func (c *Conn) controlWritten(err error) error {
	if isTimeout(err) && !errors.Is(err, net.ErrClosed) {
		return errWriteTimeout
	}
	return c.wrote(err)
}
