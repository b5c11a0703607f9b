package websocket

import (
	"sync"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// PreparedMessage is a message for many connections: it is framed once, and compressed once for each level. Any number of
// goroutines may use it.
type PreparedMessage struct {
	messageType int
	message     outbox.Message // of a data message
	plainOnce   sync.Once
	plain       *outbox.Message // for connections on which writes are not compressed though they could be
	data        []byte          // a copy
}

// NewPreparedMessage makes a message of a copy of data. Text must be UTF-8.
func NewPreparedMessage(messageType int, data []byte) (*PreparedMessage, error) {
	data = append([]byte(nil), data...)
	m := &PreparedMessage{messageType: messageType, data: data}
	switch {
	case isData(messageType):
		if messageType == TextMessage && !validText(data) {
			return nil, frame.ErrInvalidUTF8
		}
		m.message.Init(frame.Opcode(messageType), data, false)
	case !isControl(messageType):
		return nil, errBadMessageType
	case len(data) > frame.MaxControlPayload:
		return nil, errInvalidControlFrame
	}
	return m, nil
}

func validText(p []byte) bool {
	var text frame.UTF8
	_, ok := text.Write(p)
	return ok && text.Complete()
}

// uncompressed returns the data message as one that is not compressed.
func (m *PreparedMessage) uncompressed() *outbox.Message {
	m.plainOnce.Do(func() {
		m.plain = new(outbox.Message)
		m.plain.Init(frame.Opcode(m.messageType), m.data, true)
	})
	return m.plain
}

// WritePreparedMessage sends a prepared message as WriteMessage does.
func (c *Conn) WritePreparedMessage(pm *PreparedMessage) error {
	if isControl(pm.messageType) {
		return c.WriteMessage(pm.messageType, pm.data)
	}
	if err := c.beginWrite(pm.messageType); err != nil {
		return err
	}
	defer c.order.leave()
	m := &pm.message
	if c.compresses && !c.compress() {
		m = pm.uncompressed()
	}
	ctx := contextUntil(c.deadline.Load())
	defer release(ctx)
	return c.wrote(c.engine.WritePrepared(ctx, m))
}
