package conn

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/mask"
)

// gatherCap is how many bytes of frames gather before somebody has to send them: 64
// messages of 1 KiB, for example. A message longer than gatherMax does not gather.
const (
	gatherCap = 68 << 10
	gatherMax = 16 << 10
)

// outbox is the send side of a connection: frames gather in buf, and whoever gets
// the token sends all of them (group commit). So writers that meet share one TLS
// record and one system call.
type outbox struct {
	// what every message needs: see Conn
	mu      sync.Mutex
	framed  int64                      // bytes that ever entered buf
	sent    atomic.Int64               // bytes of framed that are with the kernel
	closing atomic.Pointer[CloseError] // a close frame is in: none may follow
	kicked  atomic.Bool                // frames came whose writers do not wait
	corked  atomic.Bool                // Serve is handling input: replies gather
	held    atomic.Int32               // calls of Cork without their Uncork
	stream  bool                       // a MessageWriter is open: no other data frame may enter
	parting bool                       // the close frame of closing is to enter when queue is empty
	tok     token                      // its holder alone uses the transport's send side
	sentOut traffic                    // messages and their payload
	buf     []byte                     // borrowed; frames that have not been given to the transport

	queue     []*Prepared // messages of Send that found buf full; see send.go
	pong      []byte      // an answer that found buf full; only the latest counts
	following following   // writers whose frames somebody else sends; see crowd.go

	watch   *watch      // used by tok's holder; nil until a context can end
	broken  atomic.Bool // nothing can be sent any more
	drained atomic.Bool // a goroutine is sending what a cancelled write left
	cork    corked      // see cork.go
	msg     token       // held while a message is being streamed, or sent in parts
	queued  int64       // bytes of queue
	dropped int64       // messages of Send
	control int64       // frames
}

// begin has a response to the handshake sent before everything else.
func (o *outbox) begin(response []byte) {
	if len(response) > 0 {
		o.reserve(len(response))
		o.buf = append(o.buf, response...)
		o.framed = int64(len(response))
	}
}

// Write sends p as one message and returns when the kernel has taken it. Text that is
// not UTF-8 is ErrInvalidUTF8, and nothing of it is sent (RFC 6455 §5.6). p is not kept.
//
// Writes of several goroutines do not mix, and leave in the order in which they
// gathered. In Serve's callback Write returns earlier: see [Conn.Serve].
//
// When ctx ends first and nothing of the message was sent, the error is ctx's and
// the message is forgotten. Otherwise it is an *InterruptedError; so it is, too, when
// the message was compressed with context takeover, which cannot be undone.
func (c *Conn) Write(ctx context.Context, typ MessageType, p []byte) error {
	return c.write(ctx, typ, p, c.zip.wants(len(p)))
}

// WriteUncompressed is Write for a message that must not be compressed although
// compression was agreed on: one that holds a secret beside text that somebody else
// chose (docs/security.md). Without compression it is the same as Write.
func (c *Conn) WriteUncompressed(ctx context.Context, typ MessageType, p []byte) error {
	return c.write(ctx, typ, p, false)
}

func (c *Conn) write(ctx context.Context, typ MessageType, p []byte, zip bool) error {
	if err := typ.check(p); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return c.because(err)
	}
	if len(p) <= gatherMax {
		return c.writeGathered(ctx, frame.Opcode(typ), p, zip)
	}
	err := c.writeLarge(ctx, frame.Opcode(typ), p, zip)
	if _, later := resumable(err); err == nil || later {
		c.wrote(len(p))
		c.observeOut(typ, len(p))
	}
	return err
}

// writeGathered puts a whole message into the outbox and sees to it that it leaves.
func (c *Conn) writeGathered(ctx context.Context, op frame.Opcode, p []byte, zip bool) error {
	h := frame.Header{Fin: true, Opcode: op, Length: int64(len(p))}
	if !zip {
		if done, err := c.writeAlone(ctx, &h, p); done {
			return err
		}
	}
	for {
		g, err := c.gather(&h, p, zip, c.canGiveUp(ctx))
		if err != nil {
			return err
		}
		if g.seq > 0 {
			if !g.corked {
				err = c.commit(ctx, g, c.revocable(&h, len(p)))
			}
			if _, later := resumable(err); err == nil || later {
				c.observeOut(MessageType(op), len(p))
			}
			return err
		}
		// No room, or a message is being streamed: wait for either, then again.
		if g.streaming {
			err = c.awaitStream(ctx)
		} else {
			err = c.flushAll(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// writeAlone sends a message at once if there is nothing else to be sent, and nobody else
// who might have something: that is the rule. Else it is not done.
func (c *Conn) writeAlone(ctx context.Context, h *frame.Header, p []byte) (done bool, err error) {
	o := &c.out
	if o.following.crowded.Load() || o.isCorked() || !o.tok.try() {
		return false, nil
	}
	b, seq := c.gatherAlone(h, p)
	if b == nil {
		c.unlockWrite()
		return false, nil
	}
	if err = c.give(ctx, b, nil); err == nil {
		o.sent.Store(seq)
	}
	o.following.noteCrowd()
	c.unlockWrite()
	if _, later := resumable(err); err == nil || later {
		c.observeOut(MessageType(h.Opcode), len(p))
	}
	return true, err
}

// gatherAlone is gather and collect in one, if nothing else has gathered. o.tok is held.
func (c *Conn) gatherAlone(h *frame.Header, p []byte) (b []byte, seq int64) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if !c.isAlone() {
		return nil, 0
	}
	o.sentOut.count(len(p))
	o.sentOut.encoded += h.Length
	c.enter(h, p)
	b, o.buf = o.buf, nil
	return b, o.framed
}

// isAlone reports that nothing is to be sent before the next message, which may be sent
// now. o.tok and o.mu are held.
func (c *Conn) isAlone() bool {
	o := &c.out
	return c.closed() == nil && !o.stream && len(o.buf) == 0 && len(o.pong) == 0 && len(o.queue) == 0 && c.t.Pending() == 0
}

// revocable describes a frame with a payload of n bytes for taking it back. What was
// compressed with context takeover has to be sent: the context knows it.
func (c *Conn) revocable(h *frame.Header, n int) gathered {
	if h.RSV != 0 && !c.zip.send.NoTakeover {
		return gathered{}
	}
	return gathered{size: int64(c.frameSize(h)), encoded: h.Length, payload: n}
}

// awaitStream returns when the message that is being streamed has ended.
func (c *Conn) awaitStream(ctx context.Context) error {
	if ok, err := c.out.msg.lock(ctx, c); err != nil {
		return c.because(err)
	} else if ok {
		c.out.msg.unlock()
	}
	return nil
}

func (c *Conn) frameSize(h *frame.Header) int {
	n := h.Size() + int(h.Length)
	if c.role == frame.Client && !h.Masked {
		n += len(h.Key)
	}
	return n
}

// place is where a frame has gathered. Without seq it has to wait.
type place struct {
	seq       int64     // the position behind it
	corked    bool      // it is to gather further
	slept     bool      // its writer has slept while somebody was sending
	as        *follower // who somebody who is sending is going to wake
	streaming bool      // it has to wait for the end of a message that is being streamed, not for room
}

// gather appends a data frame to the outbox, compressed with zip. If somebody is sending its
// writer becomes a follower, or sleeps here if it cannot give up.
func (c *Conn) gather(h *frame.Header, p []byte, zip, canGiveUp bool) (g place, err error) {
	o := &c.out
	o.mu.Lock()
	if g, err = c.put(h, p, zip); g.seq > 0 && !g.corked && o.tok.taken() {
		if !canGiveUp {
			o.sleep(g.seq)
			g.slept = true
			return g, nil
		}
		g.as = o.join(g.seq)
	}
	o.mu.Unlock()
	return g, err
}

// put is gather for who does not wait. o.mu is held.
func (c *Conn) put(h *frame.Header, p []byte, zip bool) (g place, err error) {
	o := &c.out
	if err := c.closed(); err != nil {
		return place{}, err
	}
	switch {
	case o.stream:
		return place{streaming: true}, nil
	case len(o.queue) > 0, len(o.buf) > 0 && len(o.buf)+c.frameSize(h) > gatherCap:
		return place{}, nil
	}
	o.sentOut.count(len(p))
	if zip {
		payload, scratch := c.zip.deflate(h, p)
		c.enter(h, payload)
		bufpool.Put(scratch)
	} else {
		c.enter(h, p)
	}
	o.sentOut.encoded += h.Length
	if g.corked = o.isCorked(); g.corked {
		c.gathered()
	}
	g.seq = o.framed
	return g, nil
}

// enter appends a frame to the outbox, masked if this side has to. o.mu is held.
func (c *Conn) enter(h *frame.Header, p []byte) {
	o := &c.out
	if h.Opcode.IsControl() {
		o.control++
	}
	before := len(o.buf)
	o.reserve(before + len(p) + frame.MaxHeaderSize)
	if c.role == frame.Client {
		h.Masked, h.Key = true, mask.NewKey()
	}
	o.buf = h.Append(o.buf)
	n := len(o.buf)
	o.buf = o.buf[:n+len(p)]
	if h.Masked {
		mask.Copy(o.buf[n:], p, h.Key, 0)
	} else {
		copy(o.buf[n:], p)
	}
	o.framed += int64(len(o.buf) - before)
}

// isCorked reports whether frames gather without being sent at once.
func (o *outbox) isCorked() bool { return o.corked.Load() || o.held.Load() > 0 }

// reserve makes buf's capacity at least n.
func (o *outbox) reserve(n int) {
	if n <= cap(o.buf) {
		return
	}
	b := bufpool.Get(max(n, min(2*len(o.buf), bufpool.Huge)))
	k := copy(b, o.buf)
	bufpool.Put(o.buf)
	o.buf = b[:k]
}

// dropOutbox returns the outbox's memory when the connection has ended.
func (c *Conn) dropOutbox() {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	bufpool.Put(o.buf)
	o.buf, o.pong = nil, nil
	c.dropQueue()
	c.dropContext()
	c.set.corks.remove(&o.cork)
	c.set.corks.rest()
	o.wakeAll()
	c.forgetContext()
}
