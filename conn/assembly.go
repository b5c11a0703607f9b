package conn

import (
	"context"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// assembly is a message that did not come in one piece. It outlives the call that
// began it: when that one's context ends, the next call goes on with it.
type assembly struct {
	open   bool
	lent   bool // buf is the caller's, or borrowed: not ours to keep
	pooled bool
	buf    []byte
}

const (
	// firstRoom is the most memory that a message gets when its first bytes arrive (RFC
	// 6455 §10.4); from then on it gets a multiple of what has arrived.
	firstRoom = bufpool.Medium
	// directRead is the rest of a frame from which on it is read directly to its
	// destination.
	directRead = 4 << 10
)

// nextMessage returns the next whole message. With view, the data is valid until the
// next read and may lie in borrowed memory; else it is the caller's, in dst if it
// fits there.
func (c *Conn) nextMessage(ctx context.Context, dst []byte, view bool) (frame.Opcode, []byte, error) {
	a := &c.in.assembly
	var ev frame.Event
	for {
		var err error
		if a.open {
			err = c.piece(ctx, &ev)
		} else {
			err = c.event(ctx, &ev)
		}
		if err != nil {
			a.keep()
			return 0, nil, err
		}
		if ev.First {
			c.in.beginMessage(c.compression, &ev)
		}
		if !a.open {
			if ev.Final && !ev.Compressed {
				c.received(len(ev.Payload))
				if view {
					return ev.Opcode, ev.Payload, nil
				}
				return ev.Opcode, appendOwned(dst[:0], ev.Payload), nil
			}
			a.begin(dst, view)
		}
		if ev.Compressed {
			if err := c.inflate(&ev); err != nil {
				return 0, nil, err
			}
		} else {
			a.add(ev.Payload, c.in.receiver.Remaining())
		}
		if ev.Final {
			c.received(len(a.buf))
			return ev.Opcode, a.take(view), nil
		}
	}
}

// beginMessage notes what a new message is.
func (in *inbox) beginMessage(z *compression, ev *frame.Event) {
	if in.compressed = ev.Compressed; in.compressed {
		z.reset()
	}
}

// piece stores the next piece of a message that has begun in ev, read into the assembly
// itself when much of the frame is still to come.
func (c *Conn) piece(ctx context.Context, ev *frame.Event) (err error) {
	in := &c.in
	a := &in.assembly
	if in.r == in.w && !in.compressed {
		if rest := in.receiver.Remaining(); rest >= directRead {
			// Allocate when payload is available, not when a header announces it.
			if !c.transport.Ready() {
				in.release()
				if err := c.await(ctx); err != nil {
					return err
				}
			}
			a.grow(rest)
			room := a.buf[len(a.buf):cap(a.buf)]
			*ev, err = c.direct(ctx, room[:min(int64(len(room)), rest)])
			return err
		}
	}
	return c.event(ctx, ev)
}

// appendOwned appends p to dst, allocating just its size if dst is nil.
func appendOwned(dst, p []byte) []byte {
	if dst == nil {
		dst = make([]byte, 0, len(p))
	}
	return append(dst, p...)
}

// begin starts a message; borrowed memory of the one before serves again.
func (a *assembly) begin(dst []byte, view bool) {
	switch {
	case view && a.pooled:
		a.buf = a.buf[:0]
	case view:
		*a = assembly{pooled: true}
	default:
		*a = assembly{buf: dst[:0], lent: dst != nil}
	}
	a.open = true
}

// add appends p; a piece that was read in place is there already.
func (a *assembly) add(p []byte, rest int64) {
	if len(p) == 0 {
		return
	}
	n := len(a.buf)
	if n < cap(a.buf) && &a.buf[:n+1][n] == &p[0] {
		a.buf = a.buf[:n+len(p)]
		return
	}
	if cap(a.buf)-n < len(p) {
		size := int64(len(p))
		a.enlarge(size + min(rest, max(firstRoom-size, 3*size)))
	}
	a.buf = append(a.buf, p...)
}

// grow makes room for some of the rest of a frame: as much as has arrived allows.
func (a *assembly) grow(rest int64) {
	if cap(a.buf)-len(a.buf) < directRead {
		a.enlarge(min(rest, max(firstRoom, 3*int64(len(a.buf)))))
	}
}

// enlarge makes room for more bytes; where that is little it doubles, so that a
// million fragments of one byte do not copy the message a million times.
func (a *assembly) enlarge(more int64) {
	n := len(a.buf)
	size := n + int(more)
	if size < n+n/4 {
		size = 2 * n
	}
	var b []byte
	if a.pooled {
		b = bufpool.Get(size)
	} else {
		b = make([]byte, size)
	}
	copy(b, a.buf)
	if a.pooled && !a.lent {
		bufpool.Put(a.buf)
	}
	a.buf, a.lent = b[:n], false
}

// take ends the assembly and returns the message. A view stays in a.buf until the
// next call of drop.
func (a *assembly) take(view bool) []byte {
	p := a.buf
	a.open = false
	if view {
		return p
	}
	if a.pooled {
		p = append([]byte(nil), p...)
		a.drop()
	}
	*a = assembly{}
	return p
}

// keep makes an unfinished message independent of the call that is returning.
func (a *assembly) keep() {
	if a.open && a.lent {
		a.buf = append(make([]byte, 0, cap(a.buf)), a.buf...)
		a.lent = false
	}
}

// drop returns borrowed memory.
func (a *assembly) drop() {
	if a.pooled && !a.lent {
		bufpool.Put(a.buf)
	}
	*a = assembly{}
}
