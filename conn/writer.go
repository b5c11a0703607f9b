package conn

import (
	"context"
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// MessageWriter is one message that is sent in fragments as it is written (RFC
// 6455 §5.4). It is not for concurrent use. Other writers of data wait until it is
// closed; control frames do not.
type MessageWriter struct {
	c     *Conn
	ctx   context.Context
	typ   MessageType
	op    frame.Opcode // of the next fragment
	buf   []byte       // borrowed; not yet sent
	began bool         // a fragment was sent
	plain bool         // not to be compressed
	total int
	done  bool
}

// Writer begins a message that is written in pieces, for messages too long to hold
// or not complete yet. Small pieces gather up to 16 KiB; Flush sends them. Close
// ends the message.
//
// ctx stays with the writer. A piece that its end interrupts is treated as in
// Write: unless the error is an *InterruptedError, it was not taken. SetContext
// gives the writer another context, to go on. A message that was begun cannot be
// taken back: to give one up, close the connection.
func (c *Conn) Writer(ctx context.Context, typ MessageType) (*MessageWriter, error) {
	if !typ.valid() {
		return nil, ErrMessageType
	}
	if err := ctx.Err(); err != nil {
		return nil, c.because(err)
	}
	o := &c.out
	if ok, err := o.msg.lock(ctx, c); err != nil {
		return nil, c.because(err)
	} else if !ok {
		return nil, c.err()
	}
	if err := c.openStream(ctx); err != nil {
		o.msg.unlock()
		return nil, err
	}
	return &MessageWriter{c: c, ctx: ctx, typ: typ, op: frame.Opcode(typ)}, nil
}

// DisableCompression has this message go uncompressed, as WriteUncompressed does. It
// has an effect only before anything was sent.
func (w *MessageWriter) DisableCompression() { w.plain = w.plain || !w.began }

// SetContext replaces the context that ends a waiting call.
func (w *MessageWriter) SetContext(ctx context.Context) { w.ctx = ctx }

// Write adds p to the message. p is not kept. An *InterruptedError says that p was taken,
// if the connection is not closed; any other error that it was not.
func (w *MessageWriter) Write(p []byte) (int, error) {
	if w.done {
		return 0, ErrWriterClosed
	}
	if len(w.buf)+len(p) > gatherMax {
		if err := w.Flush(); err != nil {
			if e, ok := resumable(err); ok {
				err = e.Err // what was written before is on its way, p was not taken
			}
			return 0, err
		}
	}
	if len(p) > gatherMax {
		if err := w.fragment(p, false); err != nil {
			if _, ok := resumable(err); !ok {
				return 0, err
			}
			w.total += len(p)
			return len(p), err
		}
	} else {
		if w.buf == nil {
			w.buf = bufpool.Get(gatherMax)[:0]
		}
		w.buf = append(w.buf, p...)
	}
	w.total += len(p)
	return len(p), nil
}

// Flush sends what has gathered as a fragment. Without anything it does nothing.
func (w *MessageWriter) Flush() error {
	if w.done {
		return ErrWriterClosed
	}
	if len(w.buf) == 0 {
		return nil
	}
	if err := w.fragment(w.buf, false); err != nil {
		return err
	}
	w.release()
	return nil
}

// Close sends what has gathered as the last fragment and ends the message. After
// an error other than an *InterruptedError it may be called again.
func (w *MessageWriter) Close() error {
	if w.done {
		return ErrWriterClosed
	}
	err := w.fragment(w.buf, true)
	_, interrupted := errors.AsType[*InterruptedError](err)
	switch {
	case err == nil, interrupted:
		w.c.wrote(w.typ, w.total)
	case w.c.closed() != nil:
	case !w.began: // nothing was sent: as if the message had never begun
	default:
		return err
	}
	w.end()
	return err
}

// fragment sends one frame of the message.
func (w *MessageWriter) fragment(p []byte, fin bool) error {
	if err := w.ctx.Err(); err != nil {
		return w.c.because(err)
	}
	h := &frame.Header{Fin: fin, Opcode: w.op, Length: int64(len(p))}
	err := w.c.sendFrame(w.ctx, h, p, w.transform(len(p), fin))
	if _, interrupted := errors.AsType[*InterruptedError](err); err == nil || interrupted {
		w.op, w.began = frame.Continuation, true
		if interrupted {
			w.release() // it is on its way
		}
	}
	return err
}

// transform returns how a fragment's payload is compressed, nil if it is not. A
// message that is one fragment is compressed only if that saves something.
func (w *MessageWriter) transform(n int, fin bool) transform {
	z := w.c.zip
	switch {
	case z == nil || w.plain:
		return nil
	case !w.began && fin && !z.wants(n):
		return nil
	case !w.began && fin:
		return z.deflate
	}
	first := !w.began
	return func(h *frame.Header, p []byte) (payload, scratch []byte) {
		scratch = bufpool.Get(len(p) + bufpool.Small/2)
		payload = z.send.AppendPiece(scratch[:0], p, h.Fin)
		if first {
			h.RSV = frame.RSV1
		}
		h.Length = int64(len(payload))
		return payload, scratch
	}
}

func (w *MessageWriter) release() {
	bufpool.Put(w.buf)
	w.buf = nil
}

func (w *MessageWriter) end() {
	w.done = true
	w.release()
	w.c.closeStream()
	w.c.out.msg.unlock()
}
