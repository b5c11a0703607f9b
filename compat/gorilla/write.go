package websocket

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"

	"github.com/seed-c4549abd/wss/frame"
)

// WriteMessage sends a message, and returns when the kernel has taken it. data is not kept. Text must be UTF-8: if it is
// not, nothing is sent, and the connection can be used. Any other error is final: every write after it returns it.
func (c *Conn) WriteMessage(messageType int, data []byte) error {
	if err := c.beginWrite(messageType); err != nil {
		return err
	}
	defer c.order.leave()
	deadline := c.deadline.Load()
	if isControl(messageType) {
		return c.writeControl(messageType, data, deadline, c.wrote)
	}
	ctx := contextUntil(deadline)
	defer release(ctx)
	return c.wrote(c.engine.Write(ctx, frame.Opcode(messageType), data, c.compress()))
}

// beginWrite begins to write a whole message, which order.leave ends: it ends the message that is open, and says why no
// other can begin.
func (c *Conn) beginWrite(messageType int) error {
	c.order.enter()
	if c.order.open.Load() != nil {
		c.order.leave() // whoever has the turn may wait for it
		if err := c.takeTurn(); err != nil {
			return err
		}
		c.endOpen()
		c.order.enter()
		c.order.unlock()
	}
	err := c.writable(messageType)
	if err != nil {
		c.order.leave()
	}
	return err
}

// takeTurn takes the turn of order. That the write deadline passes before is final, as for the write itself.
func (c *Conn) takeTurn() error {
	if err := c.order.lock(c.deadline.Load()); err != nil {
		return c.wrote(err)
	}
	return nil
}

// endOpen ends the message that is open. The caller has the turn.
func (c *Conn) endOpen() {
	if w := c.order.open.Load(); w != nil {
		_ = w.close() // its error, if it is final, is that of the next write
	}
}

// writable says why no message of a type can begin.
func (c *Conn) writable(messageType int) error {
	if !isData(messageType) && !isControl(messageType) {
		return errBadMessageType
	}
	if err := c.writeErr.Load(); err != nil {
		return *err
	}
	return nil
}

// compress reports whether messages are to be compressed, if that saves something.
func (c *Conn) compress() bool { return c.compresses && !c.uncompressed.Load() && !c.levelZero.Load() }

// wrote returns the engine's error as this package does. It is final, unless it is about the message.
func (c *Conn) wrote(err error) error {
	if err == nil || err == frame.ErrInvalidUTF8 {
		return err
	}
	return c.failWrites(c.writeError(err))
}

// failWrites notes the error of all writes from now on, unless there is one, and returns err.
func (c *Conn) failWrites(err error) error {
	c.writeErr.CompareAndSwap(nil, &err)
	return err
}

// jsonBuffers are for WriteJSON.
var jsonBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKeptJSON is the size in bytes of the largest buffer that is kept.
const maxKeptJSON = 64 << 10

// WriteJSON sends v as JSON in a text message, with a newline behind it. Nothing is sent if v cannot be encoded.
func (c *Conn) WriteJSON(v any) error {
	b := jsonBuffers.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= maxKeptJSON {
			b.Reset()
			jsonBuffers.Put(b)
		}
	}()
	if err := json.NewEncoder(b).Encode(v); err != nil {
		return err
	}
	return c.WriteMessage(TextMessage, b.Bytes())
}

// ReadJSON decodes the next message into v, as package encoding/json does. What follows the first value is ignored. A message
// without a whole value is io.ErrUnexpectedEOF; the connection can be used after it.
func (c *Conn) ReadJSON(v any) error {
	_, p, err := c.ReadMessage()
	if err != nil {
		return err
	}
	err = json.NewDecoder(bytes.NewReader(p)).Decode(v)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// WriteJSON calls c.WriteJSON.
//
// Deprecated: use c.WriteJSON.
func WriteJSON(c *Conn, v any) error { return c.WriteJSON(v) }

// ReadJSON calls c.ReadJSON.
//
// Deprecated: use c.ReadJSON.
func ReadJSON(c *Conn, v any) error { return c.ReadJSON(v) }
