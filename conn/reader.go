package conn

import (
	"context"
	"io"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

// MessageReader is one message that is read as it arrives. It is not for
// concurrent use.
type MessageReader struct {
	c          *Conn
	ctx        context.Context
	op         frame.Opcode
	head       []byte // what a cancelled Read had of the message
	rest       []byte // received, not yet read; in the inbox's buffer
	final      bool   // rest is the message's last piece
	compressed bool   // rest is
	ended      bool   // all of it has been inflated
	total      int
	err        error
}

// Reader waits for the next message and returns its type and a reader of its data,
// for messages too long to hold. MessageLimit holds here too. The message must be
// read to its end, or given up with Discard, before anything else can be read.
//
// ctx stays with the reader. When it ends, Read returns its error and nothing is
// lost: SetContext gives the reader another.
func (c *Conn) Reader(ctx context.Context) (MessageType, *MessageReader, error) {
	r := &MessageReader{c: c, ctx: ctx}
	if err := r.begin(); err != nil {
		return 0, nil, err
	}
	return MessageType(r.op), r, nil
}

// begin waits for the next message.
func (r *MessageReader) begin() error {
	c := r.c
	if err := c.lockRead(r.ctx); err != nil {
		return err
	}
	defer c.unlockRead()
	in := &c.in
	if in.assembly.open { // a Read that was cancelled has begun it
		r.head = append([]byte(nil), in.assembly.buf...)
		r.total = len(r.head)
		in.assembly.drop()
		r.op = in.receiver.Message()
	} else {
		var ev frame.Event
		if err := c.event(r.ctx, &ev); err != nil {
			return err
		}
		in.beginMessage(c.compression, &ev)
		r.op = ev.Opcode
		r.take(&ev)
	}
	r.compressed = in.compressed
	in.unfinished = r
	return nil
}

func (r *MessageReader) take(ev *frame.Event) {
	r.rest, r.final = ev.Payload, ev.Final
	if !ev.Compressed {
		r.total += len(ev.Payload)
	}
}

// SetContext replaces the context that ends a waiting Read.
func (r *MessageReader) SetContext(ctx context.Context) { r.ctx = ctx }

// Read returns the next bytes of the message, io.EOF after the last.
func (r *MessageReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if err := r.lock(); err != nil {
		return 0, err
	}
	n, err := r.read(p)
	if r.err == io.EOF {
		r.c.observeIn(MessageType(r.op), r.total)
	}
	return n, err
}

// read is Read with the read side's token, which it gives back.
func (r *MessageReader) read(p []byte) (int, error) {
	defer r.c.unlockRead()
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := r.have(p)
		if n > 0 && r.final && !r.compressed && len(r.rest) == 0 && len(r.head) == 0 {
			_ = r.finish() // the next call needs no turn to say so
		}
		if n > 0 || err != nil {
			return n, err
		}
		if r.final && (!r.compressed || r.ended) {
			return 0, r.finish()
		}
		if n, err = r.next(p); n > 0 || err != nil {
			return n, err
		}
	}
}

// have reads of what was received.
func (r *MessageReader) have(p []byte) (n int, err error) {
	switch {
	case len(r.head) > 0:
		n = copy(p, r.head)
		r.head = r.head[n:]
	case !r.compressed:
		n = copy(p, r.rest)
		r.rest = r.rest[n:]
	case !r.ended && (r.final || len(r.rest) > 0):
		return r.inflate(p)
	}
	return n, nil
}

// inflate reads of a piece that is compressed.
func (r *MessageReader) inflate(p []byte) (int, error) {
	n, k, err := r.c.compression.into(p, r.rest, r.op, r.final)
	r.rest = r.rest[k:]
	r.total += n
	switch err {
	case nil:
		r.ended = r.final
	case deflate.ErrShortDst:
	default:
		return 0, r.failed(r.c.inflateFailed(err))
	}
	return n, nil
}

// next takes the next piece: directly into p if there is much of it.
func (r *MessageReader) next(p []byte) (int, error) {
	if r.direct(p) {
		return r.readDirect(p)
	}
	var ev frame.Event
	if err := r.c.event(r.ctx, &ev); err != nil {
		return 0, r.failed(err)
	}
	r.take(&ev)
	return 0, nil
}

// direct reports whether the rest of a frame can be read directly into p.
func (r *MessageReader) direct(p []byte) bool {
	in := &r.c.in
	return !r.compressed && in.r == in.w && in.receiver.Remaining() >= directRead && len(p) >= directRead
}

// readDirect reads into p, waiting for the first record; others that are available follow.
func (r *MessageReader) readDirect(p []byte) (n int, err error) {
	for n == 0 || r.direct(p[n:]) && r.c.transport.Ready() {
		room := p[n:]
		ev, err := r.c.direct(r.ctx, room[:min(int64(len(room)), r.c.in.receiver.Remaining())])
		if err != nil {
			if err = r.failed(err); n > 0 && r.err != nil {
				err = nil // the next call returns it
			}
			return n, err
		}
		r.take(&ev)
		r.rest = nil
		n += len(ev.Payload)
	}
	return n, nil
}

// Discard reads the rest of the message and forgets it.
func (r *MessageReader) Discard() error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// lock takes the turn to read, past the check that the message itself fails.
func (r *MessageReader) lock() error {
	if err := r.ctx.Err(); err != nil {
		return r.failed(r.c.life.because(err))
	}
	if !r.c.in.used.Load() {
		r.c.in.used.Store(true)
	}
	ok, err := r.c.takeRead(r.ctx)
	if err != nil {
		return r.failed(r.c.life.because(err))
	}
	if err := r.c.life.err(); err != nil {
		if ok {
			r.c.unlockRead()
		}
		return r.failed(err)
	}
	return nil
}

// failed keeps an error that is final.
func (r *MessageReader) failed(err error) error {
	if r.c.life.hasEnded() {
		r.err = err
	}
	return err
}

func (r *MessageReader) finish() error {
	r.c.received(r.total)
	r.c.in.unfinished = nil
	r.err = io.EOF
	return io.EOF
}
