package websocket

import (
	"context"
	"io"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bare"
	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// BufferPool is a pool of write buffers. A *sync.Pool is one.
type BufferPool interface {
	// Get takes a value from the pool; nil if it is empty.
	Get() any
	// Put adds a value that Get may return.
	Put(any)
}

// NextWriter begins a message of any type. What is written to the writer is sent as a fragment when it fills a buffer of
// WriteBufferSize bytes, and the rest with Close; a message that fits the buffer is one frame. Control messages must fit
// 125 bytes. A writer that is still open is closed, whichever goroutine it belongs to; see Conn.
func (c *Conn) NextWriter(messageType int) (io.WriteCloser, error) {
	c.order.init()
	if err := c.takeTurn(); err != nil {
		return nil, err
	}
	defer c.order.unlock()
	c.endOpen()
	if err := c.writable(messageType); err != nil {
		return nil, err
	}
	w := &messageWriter{c: c, messageType: messageType}
	c.order.open.Store(w)
	return w, nil
}

// messageWriter is a message that is being written. Whoever uses its fields has the turn of c.order.
type messageWriter struct {
	c           *Conn
	messageType int
	buf         []byte      // not yet sent; nil until something is written
	stream      bare.Writer // nil until buf was full
	err         error       // of every call from now on
}

// Write adds p to the message.
func (w *messageWriter) Write(p []byte) (int, error) {
	if err := w.c.takeTurn(); err != nil {
		return 0, err
	}
	defer w.c.order.unlock()
	n := len(p)
	if len(w.buf)+n > w.c.bufferSize && n > 2*w.c.bufferSize {
		w.fragment(w.buf, p) // without copying it to the buffer
		p = nil
	}
	for len(p) > 0 && w.room() {
		k := copy(w.free(), p)
		w.buf, p = w.buf[:len(w.buf)+k], p[k:]
	}
	if w.err != nil {
		return 0, w.err
	}
	return n, nil
}

// WriteString is Write.
func (w *messageWriter) WriteString(s string) (int, error) {
	if err := w.c.takeTurn(); err != nil {
		return 0, err
	}
	defer w.c.order.unlock()
	n := len(s)
	for len(s) > 0 && w.room() {
		k := copy(w.free(), s)
		w.buf, s = w.buf[:len(w.buf)+k], s[k:]
	}
	if w.err != nil {
		return 0, w.err
	}
	return n, nil
}

// ReadFrom adds what r has until io.EOF. It has a buffer of its own: the message may be ended while r waits.
func (w *messageWriter) ReadFrom(r io.Reader) (total int64, err error) {
	if _, err := w.Write(nil); err != nil {
		return 0, err
	}
	b := bufpool.Get(w.c.bufferSize)
	defer bufpool.Put(b)
	for {
		n, err := r.Read(b[:w.c.bufferSize])
		if n > 0 {
			if _, err := w.Write(b[:n]); err != nil {
				return total, err
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}

// free is the part of the buffer that is empty.
func (w *messageWriter) free() []byte { return w.buf[len(w.buf):w.c.bufferSize] }

// room makes room in the buffer, by sending what is in it if it is full, and reports whether there is some.
func (w *messageWriter) room() bool {
	switch {
	case w.err != nil:
	case w.buf == nil:
		w.buf = w.c.takeBuffer()
	case len(w.buf) == w.c.bufferSize:
		w.fragment(w.buf)
	}
	return w.err == nil
}

// fragment sends pieces, the first of which is the buffer, and empties that.
func (w *messageWriter) fragment(pieces ...[]byte) {
	if w.err != nil {
		return
	}
	ctx := contextUntil(w.c.deadline.Load())
	defer release(ctx)
	w.begin(ctx)
	w.send(pieces...)
	if w.err == nil {
		w.buf = w.buf[:0]
		w.check(w.stream.Flush())
	}
}

// begin begins to send the message in fragments, or goes on with ctx.
func (w *messageWriter) begin(ctx context.Context) {
	switch {
	case w.stream != nil:
		w.stream.SetContext(ctx)
	case isControl(w.messageType):
		w.end(errInvalidControlFrame)
	default:
		if err := w.c.order.awaitWhole(ctx); err != nil {
			w.end(w.c.wrote(err))
			return
		}
		stream, err := w.c.engine.Writer(ctx, frame.Opcode(w.messageType), w.c.compress())
		if err != nil {
			w.end(w.c.wrote(err))
			return
		}
		w.stream = stream
	}
}

// send gives pieces to the stream.
func (w *messageWriter) send(pieces ...[]byte) {
	for _, p := range pieces {
		if w.err == nil {
			_, err := w.stream.Write(p)
			w.check(err)
		}
	}
}

// check ends the message with an error of the stream. A message that has begun to be sent cannot be taken back, so nothing
// can follow it.
func (w *messageWriter) check(err error) {
	if err != nil {
		w.stream.Abandon()
		w.end(w.c.failWrites(w.c.writeError(err)))
	}
}

// Close sends what is left of the message.
func (w *messageWriter) Close() error {
	if err := w.c.takeTurn(); err != nil {
		return err
	}
	defer w.c.order.unlock()
	return w.close()
}

func (w *messageWriter) close() error {
	if w.err != nil {
		return w.err
	}
	err := w.last(w.c.deadline.Load())
	w.end(errWriterClosed)
	return err
}

// last sends the message, or its last fragment.
func (w *messageWriter) last(deadline int64) error {
	if isControl(w.messageType) {
		return w.c.writeControl(w.messageType, w.buf, deadline, w.c.wrote)
	}
	ctx := contextUntil(deadline)
	defer release(ctx)
	if w.stream == nil {
		w.c.order.open.Store(nil) // others may write at the same time: it is one frame
		return w.c.wrote(w.c.engine.Write(ctx, frame.Opcode(w.messageType), w.buf, w.c.compress()))
	}
	w.stream.SetContext(ctx)
	if w.send(w.buf); w.err == nil {
		w.check(w.stream.Close())
	}
	return w.err
}

// end gives the buffer back, and has every call from now on return err, or what the message ended with before.
func (w *messageWriter) end(err error) {
	if w.err == nil {
		w.err = err
	}
	w.c.order.open.CompareAndSwap(w, nil)
	w.c.returnBuffer(w.buf)
	w.buf = nil
}

// pooled is what is in a BufferPool: a type of our own, so that nobody else uses the buffers.
type pooled struct{ buf []byte }

// takeBuffer returns an empty buffer for NextWriter.
func (c *Conn) takeBuffer() []byte {
	if c.pool == nil {
		return bufpool.Get(c.bufferSize)[:0]
	}
	if p, ok := c.pool.Get().(*pooled); ok && cap(p.buf) >= c.bufferSize {
		return p.buf[:0]
	}
	return make([]byte, 0, c.bufferSize)
}

// returnBuffer gives a buffer of takeBuffer back.
func (c *Conn) returnBuffer(b []byte) {
	switch {
	case b == nil:
	case c.pool == nil:
		bufpool.Put(b)
	default:
		c.pool.Put(&pooled{b})
	}
}
