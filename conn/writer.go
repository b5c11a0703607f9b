package conn

import (
	"context"
	"errors"
	"io"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/outbox"
)

// MessageWriter is one message that is sent in fragments as it is written (RFC
// 6455 §5.4). It is not for concurrent use. Other writers of data wait until it is
// closed; control frames do not.
type MessageWriter struct {
	c            *Conn
	ctx          context.Context
	typ          MessageType
	op           frame.Opcode // of the next fragment
	h            frame.Header // of the last one
	text         frame.UTF8   // of what was taken, sent or not
	buf          []byte       // borrowed; not yet sent
	began        bool         // a fragment was sent
	uncompressed bool         // it must not be compressed
	total        int
	done         bool
}

// Writer begins a message that is written in pieces, for messages too long to hold
// or not complete yet. What does not fill a TLS record is buffered, up to 16 KiB; Flush
// sends it. Close ends the message.
//
// ctx stays with the writer. A piece that its end interrupts is treated as in
// Write: unless the error is an *InterruptedError, it was not taken. SetContext
// gives the writer another context, to go on. A message that was begun cannot be
// taken back: to give one up, close the connection.
//
// Until Close a Write of the same goroutine waits for itself, until its context ends.
//
// Text may be cut anywhere, in the middle of characters too. What makes it no UTF-8 is
// ErrInvalidUTF8 and not taken (RFC 6455 §5.6).
func (c *Conn) Writer(ctx context.Context, typ MessageType, options ...WriteOption) (*MessageWriter, error) {
	if !typ.valid() {
		return nil, ErrMessageType
	}
	if err := ctx.Err(); err != nil {
		return nil, c.life.because(err)
	}
	s := &c.send
	if err := s.lockFrames(ctx); err != nil {
		return nil, err
	}
	if err := s.beginStream(ctx); err != nil {
		s.framesTurn.Unlock()
		return nil, err
	}
	return &MessageWriter{c: c, ctx: ctx, typ: typ, op: frame.Opcode(typ), uncompressed: isUncompressed(options)}, nil
}

// SetContext replaces the context that ends a waiting call.
func (w *MessageWriter) SetContext(ctx context.Context) { w.ctx = ctx }

// Write adds p to the message: all of it if the error is nil or an *InterruptedError, else
// nothing. p is not kept.
func (w *MessageWriter) Write(p []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	before := w.text
	if !w.valid(p) {
		return 0, ErrInvalidUTF8
	}
	n, err := w.take(p)
	if n == 0 {
		w.text = before
	}
	return n, err
}

// usable says why nothing can be added to the message.
func (w *MessageWriter) usable() error {
	if w.done {
		return ErrWriterClosed
	}
	return w.c.life.sendErr()
}

// valid reports whether p can follow in the message, and notes that it does.
func (w *MessageWriter) valid(p []byte) bool {
	if w.typ != Text {
		return true
	}
	after := w.text
	if _, ok := after.Write(p); !ok {
		return false
	}
	w.text = after
	return true
}

// take adds p, which is valid, to the message.
func (w *MessageWriter) take(p []byte) (int, error) {
	full := w.c.send.whole(len(w.buf) + len(p))
	if full > 0 && (w.compresses() || w.c.send.whole(len(w.buf)) > 0) {
		if err := w.flushBefore(); err != nil {
			return 0, err
		}
		if full = w.c.send.whole(len(p)); full > 0 && w.compresses() {
			full = len(p) // records do not show in what is compressed
		}
	}
	var err error
	if full > 0 {
		k := full - len(w.buf)
		if err = w.fragment(payload{head: w.buf, p: p[:k]}, false); !taken(err) {
			return 0, err
		}
		w.release()
		p, full = p[k:], k
	}
	w.keep(p)
	return full + len(p), err
}

// flushBefore sends what was written before. If that is interrupted it is on its way, but
// nothing more was taken.
func (w *MessageWriter) flushBefore() error {
	err := w.Flush()
	if e, ok := resumable(err); ok {
		return e.Err
	}
	return err
}

// keep buffers p until it fills a record.
func (w *MessageWriter) keep(p []byte) {
	if len(p) == 0 {
		return
	}
	if w.buf == nil {
		w.buf = bufpool.Get(outbox.MaxCopied)[:0]
	}
	w.buf = append(w.buf, p...)
}

// ReadFrom adds what r has until io.EOF: that is what io.Copy calls. What has been read
// is sent when it fills TLS records, of which up to four are sent together. It returns the
// bytes read; after an error of sending, those that were not sent are buffered. What
// makes text invalid was read, and is neither taken nor counted.
func (w *MessageWriter) ReadFrom(r io.Reader) (n int64, err error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	limit := w.c.send.whole(chunk)
	if len(w.buf) >= limit { // what could not be sent before
		if err := w.flushBefore(); err != nil {
			return 0, err
		}
	}
	all := bufpool.Get(bufpool.Bulk)
	room := all[:frame.MaxHeaderSize]
	b := all[len(room):]
	b = b[:copy(b, w.buf)]
	w.release()
	defer func() {
		if len(b) > 0 {
			w.buf = all[:copy(all, b)]
		} else {
			bufpool.Put(all)
		}
	}()
	for {
		k, err := r.Read(b[len(b):limit])
		more := b[len(b) : len(b)+k]
		if !w.valid(more) {
			return n, ErrInvalidUTF8
		}
		b = b[:len(b)+k]
		n += int64(k)
		if k = w.c.send.whole(len(b)); k > 0 {
			e := w.fragment(payload{p: b[:k], room: room}, false)
			if taken(e) {
				b = b[:copy(b, b[k:])]
			}
			if e != nil {
				return n, e
			}
		}
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// taken reports whether what was sent with this error is on its way.
func taken(err error) bool {
	_, interrupted := errors.AsType[*InterruptedError](err)
	return err == nil || interrupted
}

// Flush sends the buffered bytes as a fragment. It does nothing if there are none.
func (w *MessageWriter) Flush() error {
	if w.done {
		return ErrWriterClosed
	}
	if len(w.buf) == 0 {
		return nil
	}
	err := w.fragment(payload{p: w.buf}, false)
	if taken(err) {
		w.release()
	}
	return err
}

// Close sends what is buffered as the last fragment and ends the message. After
// an error other than an *InterruptedError it may be called again: after ErrInvalidUTF8,
// which says that text ends within a character, when the rest of it was written. A message
// of which nothing was sent is forgotten with any error.
func (w *MessageWriter) Close() error {
	if w.done {
		return ErrWriterClosed
	}
	err := w.last()
	switch {
	case taken(err):
		if isSent(err) {
			w.c.send.countMessage(w.total)
		}
		w.end()
		if isSent(err) {
			w.c.observeOut(w.typ, w.total)
		}
	case w.c.life.sendErr() != nil, !w.began: // nothing was sent: as if the message had never begun
		w.end()
	}
	return err
}

// last sends the last fragment.
func (w *MessageWriter) last() error {
	if !w.text.Complete() {
		return ErrInvalidUTF8
	}
	return w.fragment(payload{p: w.buf}, true)
}

// fragment sends one frame of the message.
func (w *MessageWriter) fragment(m payload, fin bool) error {
	if err := w.ctx.Err(); err != nil {
		return w.c.life.because(err)
	}
	n := len(m.head) + len(m.p)
	w.h = frame.Header{Fin: fin, Opcode: w.op, Length: int64(n)}
	err := w.c.send.sendFrame(w.ctx, &w.h, m, w.compressor(n, fin))
	if taken(err) {
		w.op, w.began = frame.Continuation, true
		w.total += n
	}
	return err
}

// compresses reports whether fragments are compressed.
func (w *MessageWriter) compresses() bool { return w.c.compression != nil && !w.uncompressed }

// compressor returns how a fragment's payload is compressed, nil if it is not. A
// message that is one fragment is compressed only if that saves something.
func (w *MessageWriter) compressor(n int, fin bool) compressFunc {
	whole := !w.began && fin
	switch {
	case !w.compresses(), whole && !w.c.compression.wants(n):
		return nil
	case whole:
		return w.c.send.outbox.Compress
	}
	return w.c.send.outbox.CompressFragment
}

func (w *MessageWriter) release() {
	bufpool.Put(w.buf)
	w.buf = nil
}

func (w *MessageWriter) end() {
	w.done = true
	w.release()
	w.c.send.endStream()
	w.c.send.framesTurn.Unlock()
}

// whole returns the longest payload of at most n bytes that, as a frame, fills TLS records; 0 if n is too short for one.
func (s *sender) whole(n int) int {
	h := frame.Header{Length: int64(n)}
	full := s.outbox.FrameSize(&h) / record * record
	if full == 0 {
		return 0
	}
	h.Length = int64(full - s.outbox.FrameSize(&h) + n) // a shorter one may have a shorter header
	return full - (s.outbox.FrameSize(&h) - int(h.Length))
}
