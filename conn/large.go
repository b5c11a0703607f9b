package conn

import (
	"context"
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/mask"
)

// chunk is how much of a long frame is given to the transport between two flushes:
// four whole TLS records. The last part may be longer by tail, so that a payload of 64
// KiB and its header are flushed once.
const (
	record = 16384
	chunk  = 4 * record
	tail   = bufpool.Bulk - chunk
)

// writeLarge sends a long message as one frame: straight from p, or compressed.
func (c *Conn) writeLarge(ctx context.Context, op frame.Opcode, p []byte, zip bool) error {
	o := &c.out
	if ok, err := o.msg.lock(ctx, c); err != nil {
		return c.because(err)
	} else if !ok {
		return c.err()
	}
	defer o.msg.unlock()
	h := &frame.Header{Fin: true, Opcode: op, Length: int64(len(p))}
	if !zip {
		return c.sendFrame(ctx, h, body{p: p}, nil)
	}
	// Messages must be sent in the order in which they were compressed: no other
	// may gather meanwhile.
	if err := c.openStream(ctx); err != nil {
		return err
	}
	defer c.closeStream()
	return c.sendFrame(ctx, h, body{p: p}, c.zip.deflate)
}

// openStream keeps other data out of the outbox, once what is queued has left. o.msg is
// held.
func (c *Conn) openStream(ctx context.Context) error {
	o := &c.out
	for {
		o.mu.Lock()
		err := c.closed()
		queued := len(o.queue) > 0
		o.stream = err == nil && !queued
		o.mu.Unlock()
		if err != nil || !queued {
			return err
		}
		if err := c.flushAll(ctx); err != nil {
			return err
		}
	}
}

// closeStream lets other data in again, and sends what has queued meanwhile.
func (c *Conn) closeStream() {
	o := &c.out
	o.mu.Lock()
	o.stream = false
	c.dropContext()
	queued := len(o.queue) > 0
	o.mu.Unlock()
	if queued {
		c.hurry()
	}
}

// transform makes of a payload what is sent, and completes the header. scratch goes
// back to the pool.
type transform func(h *frame.Header, p []byte) (payload, scratch []byte)

// body is the payload of a frame: head and then p. With a header head fits one record.
type body struct {
	head, p []byte
	room    []byte // before p in the same memory, for the header; nil if that is not ours
}

// sendFrame sends one data frame of any length behind what has gathered. Its body has a
// head only without a transform. o.msg is held. Until the payload is transformed, if at
// all, an error means that nothing was sent; from then on the frame leaves whole.
func (c *Conn) sendFrame(ctx context.Context, h *frame.Header, m body, zip transform) error {
	if ok, err := c.takeWrite(ctx); err != nil {
		return c.because(err)
	} else if !ok {
		return c.err()
	}
	defer c.unlockWrite()
	if err := c.flush(ctx); err != nil {
		if e, ok := resumable(err); ok {
			return e.Err
		}
		return err
	}
	if err := c.closed(); err != nil {
		return err
	}
	if zip != nil {
		var scratch []byte
		m.p, scratch = zip(h, m.p)
		m.room = nil
		defer bufpool.Put(scratch)
	}
	if c.role == frame.Client {
		h.Masked, h.Key = true, mask.NewKey()
	}
	c.out.mu.Lock()
	c.out.sentOut.encoded += h.Length
	c.out.mu.Unlock()
	if h.Masked {
		return c.sendMasked(ctx, h, m.head, m.p)
	}
	return c.sendPlain(ctx, h, m)
}

// part returns how much of n bytes is flushed next.
func part(n int) int {
	if n <= chunk+tail {
		return n
	}
	return chunk
}

// whole returns the longest payload of at most n bytes that, as a frame, fills TLS
// records; 0 if n is too short for one.
func (c *Conn) whole(n int) int {
	h := frame.Header{Length: int64(n)}
	full := c.frameSize(&h) / record * record
	if full == 0 {
		return 0
	}
	h.Length = int64(full - c.frameSize(&h) + n) // a shorter one may have a shorter header
	return full - (c.frameSize(&h) - int(h.Length))
}

// sendMasked masks a frame while it copies it, a record at a time, which is then encrypted
// from the nearest cache.
func (c *Conn) sendMasked(ctx context.Context, h *frame.Header, head, p []byte) (err error) {
	b := bufpool.Get(record)
	defer bufpool.Put(b)
	n := len(h.Append(b[:0]))
	pos := 0
	for left := n + len(head) + len(p); left > 0; {
		for more := part(left); more > 0; n = 0 {
			k := min(more, record)
			for _, src := range []*[]byte{&head, &p} {
				m := mask.Copy(b[n:k], *src, h.Key, pos)
				*src, n, pos = (*src)[m:], n+m, pos+m
			}
			left, more = left-k, more-k
			err = c.sendPart(ctx, b[:k], true, more == 0, err)
		}
	}
	return err
}

// sendPlain sends a frame from where it lies, but for what shares the header's record if
// there is no room for that. A message that one flush sends gathers, as its receiver has nothing
// to do before it comes.
func (c *Conn) sendPlain(ctx context.Context, h *frame.Header, m body) error {
	size := h.Size() + int(h.Length)
	straight := !h.Fin || part(size) < size
	if m.room != nil {
		at := len(m.room) - h.Size()
		h.Append(m.room[at:at])
		return c.sendParts(ctx, m.room[at:at+size], part(size), straight)
	}
	b := bufpool.Get(record)
	n := len(h.Append(b[:0]))
	n += copy(b[n:record], m.head)
	k := copy(b[n:record], m.p)
	n, p := n+k, m.p[k:]
	err := c.sendPart(ctx, b[:n], straight, len(p) == 0, nil)
	bufpool.Put(b)
	if err != nil {
		return err // nothing can be sent, or it was all
	}
	return c.sendParts(ctx, p, part(size)-n, straight)
}

// sendParts sends p, and flushes after the first k bytes and then after each part.
func (c *Conn) sendParts(ctx context.Context, p []byte, k int, straight bool) (err error) {
	for len(p) > 0 {
		err = c.sendPart(ctx, p[:k], straight, true, err)
		p = p[k:]
		k = part(len(p))
	}
	return err
}

// sendPart sends a part of a frame, and flushes if that is wanted. Once interrupted, the
// rest is only queued: a frame that has begun must leave whole.
func (c *Conn) sendPart(ctx context.Context, p []byte, straight, flush bool, interrupted error) error {
	if interrupted != nil && c.ended.Load() != nil {
		return interrupted
	}
	if err := c.t.Write(p, straight); err != nil {
		return c.sendFailed(err)
	}
	if interrupted == nil && flush {
		return c.push(ctx)
	}
	if e, ok := errors.AsType[*InterruptedError](interrupted); ok {
		e.Pending = c.t.Pending()
	}
	return interrupted
}
