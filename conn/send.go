package conn

import (
	"context"
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// FullPolicy says what Send does when the outgoing queue is full: when QueueLimit
// bytes wait for a peer that does not take them. The zero value closes.
type FullPolicy uint8

const (
	// CloseWhenFull closes the connection with 1013 (try again later); its error
	// wraps ErrQueueFull. What waits is dropped.
	CloseWhenFull FullPolicy = iota
	// DropWhenFull drops the message that finds no room: Send returns ErrQueueFull, and
	// Stats counts it.
	DropWhenFull
	// BlockWhenFull has Send wait until there is room.
	BlockWhenFull
)

// Send sends prepared messages, in their order, without waiting for the peer. When
// nothing is queued they go to the kernel at once; what the kernel does not take stays
// behind, up to QueueLimit bytes, and follows when the peer has taken what is before
// it. Several messages share TLS records and system calls, as do those sent by
// different goroutines at the same time, in Serve's callback, or between Cork and
// Uncork.
//
// An error says that the connection has ended, or the ErrQueueFull of DropWhenFull;
// nil does not say that the peer has received anything. Send waits only with
// BlockWhenFull. While a [MessageWriter] is open, messages queue behind it.
//
// Without [NewListener] below TLS a goroutine sends what Send was given, since
// crypto/tls would wait.
func (c *Conn) Send(messages ...*Prepared) error {
	if len(messages) == 1 && c.role == frame.Server {
		if done, err := c.sendAlone(messages[0]); done {
			return err
		}
	}
	for _, p := range messages {
		if len(p.frame) == 0 {
			return ErrMessageType // the zero value is no message
		}
		p.compress(c.zip)
		for offered := false; ; {
			ok, err := c.enqueue(p, offered)
			if err == errOffer {
				c.kick()
				offered = true
				continue
			}
			if err != nil {
				c.hurry()
				return err
			}
			if ok {
				c.observeOut(p.typ, len(p.data))
				break
			}
			// Full, and to wait for: what was queued before has to leave.
			if err := c.flushAll(context.Background()); err != nil {
				return err
			}
			if err := c.awaitStream(context.Background()); err != nil {
				return err
			}
		}
	}
	c.hurry()
	return nil
}

// sendAlone sends p from where it lies if nothing else is to be sent; else it is not done.
func (c *Conn) sendAlone(p *Prepared) (done bool, err error) {
	o := &c.out
	p.compress(c.zip)
	if len(p.frame) == 0 || len(p.frame) > gatherMax || o.isCorked() || !o.tok.try() {
		return false, nil
	}
	b, seq := c.alone(p)
	if b == nil {
		c.unlockWrite()
		return false, nil
	}
	if err = c.t.Write(b, false); err == nil {
		err = c.push(ended)
	} else {
		err = c.sendFailed(err)
	}
	switch _, later := resumable(err); {
	case later:
		err = nil // a goroutine sees to the rest
	case err == nil:
		o.sent.Store(seq)
	}
	c.unlockWrite()
	if err == nil {
		c.observeOut(p.typ, len(p.data))
	}
	return true, err
}

// alone counts p as gathered and returns its bytes and the position behind them, if
// nothing has gathered. o.tok is held.
func (c *Conn) alone(p *Prepared) (b []byte, seq int64) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if !c.isAlone() {
		return nil, 0
	}
	o.sentOut.count(len(p.data))
	b = c.prepared(p)
	o.framed += int64(len(b))
	return b, o.framed
}

// hurry sends what has gathered unless somebody corks.
func (c *Conn) hurry() {
	o := &c.out
	if !o.isCorked() {
		c.kick()
		return
	}
	o.mu.Lock()
	c.gathered()
	o.mu.Unlock()
}

// errOffer says that what waits has to be offered to the socket before it is held against the peer.
var errOffer = errors.New("websocket: the queue is to be offered first")

// enqueue takes p into the outbox, or into the queue behind it. It returns false if
// there is no room, and the policy is to wait for some. offered says that the socket has been offered what
// waits.
func (c *Conn) enqueue(p *Prepared, offered bool) (ok bool, err error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := c.closed(); err != nil {
		return false, err
	}
	size := int64(len(p.frame))
	if depth := o.depth(c.t); depth > 0 && depth+size > c.set.queueLimit {
		if !offered {
			return false, errOffer
		}
		if c.set.whenFull == BlockWhenFull {
			return false, nil
		}
		o.dropped++
		if c.set.whenFull == DropWhenFull {
			return false, ErrQueueFull
		}
		c.overflow()
		return false, c.closed()
	}
	o.sentOut.count(len(p.data))
	if o.stream || len(o.queue) > 0 || len(p.frame) > gatherMax ||
		len(o.buf) > 0 && len(o.buf)+len(p.frame) > gatherCap {
		o.queue = append(o.queue, p)
		o.queued += size
		return true, nil
	}
	c.enterPrepared(p)
	return true, nil
}

// depth returns the bytes that wait for the peer. o.mu is held.
func (o *outbox) depth(t transport) int64 { return int64(len(o.buf)) + o.queued + t.Pending() }

// enterPrepared appends p to what has gathered. o.mu is held, and no message is being
// streamed.
func (c *Conn) enterPrepared(p *Prepared) {
	o := &c.out
	b := c.prepared(p)
	n := len(o.buf)
	o.reserve(n + len(b) + 4)
	if c.role == frame.Server {
		o.buf = append(o.buf, b...)
	} else {
		o.buf = appendMasked(o.buf, b)
	}
	o.framed += int64(len(o.buf) - n)
}

// prepared returns p as a server sends it here; the context is told.
func (c *Conn) prepared(p *Prepared) []byte {
	b, compressed := p.on(c.zip)
	encoded := len(p.data)
	if compressed {
		c.zip.send.Sent(p.data)
		var h frame.Header
		_, _ = h.Parse(b)
		encoded = int(h.Length)
	}
	c.out.sentOut.encoded += int64(encoded)
	return b
}

// appendMasked appends an unmasked frame as a client sends it.
func appendMasked(dst, b []byte) []byte {
	var h frame.Header
	size, _ := h.Parse(b) // our own: it is whole and in order
	h.Masked, h.Key = true, mask.NewKey()
	dst = h.Append(dst)
	n := len(dst)
	dst = dst[:n+len(b)-size]
	mask.Copy(dst[n:], b[size:], h.Key, 0)
	return dst
}

// dequeue moves queued messages to what has gathered, as many as belong together. A
// long one is returned instead, as a server sends it, if nothing has gathered before it. o.mu is held.
func (c *Conn) dequeue() (long []byte) {
	o := &c.out
	n := 0
	for _, p := range o.queue {
		if o.stream || len(o.buf) > 0 && len(o.buf)+len(p.frame) > gatherCap {
			break
		}
		n++
		o.queued -= int64(len(p.frame))
		if len(p.frame) > gatherMax && len(o.buf) == 0 {
			long = c.prepared(p)
			o.framed += int64(len(long))
			if c.role == frame.Client {
				o.framed += int64(len(frame.Header{}.Key)) // give masks it, outside of the lock
			}
			break
		}
		c.enterPrepared(p)
	}
	clear(o.queue[:n])
	if o.queue = o.queue[n:]; len(o.queue) == 0 {
		o.queue = nil
	}
	return long
}

// dropQueue forgets what is queued. o.mu is held.
func (c *Conn) dropQueue() {
	o := &c.out
	for _, p := range o.queue {
		o.dropped++
		o.sentOut.uncount(len(p.data), 0)
	}
	o.queue, o.queued, o.parting = nil, 0, false
}

// overflow closes the connection because its queue is full. o.mu is held. The peer
// may never take the close frame; a reader, if there is one, sees its answer.
func (c *Conn) overflow() {
	why := &CloseError{Code: StatusTryAgainLater, Reason: "queue full", Err: ErrQueueFull}
	c.enterCloseLocked(why)
	c.boundClosing(c.set.closeTimeout, func() { c.end(why) })
}

// Flush sends what has gathered in Serve's callback, or since Cork, and returns when the
// kernel has taken it. Elsewhere there is hardly ever anything to send.
func (c *Conn) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return c.because(err)
	}
	return c.flushAll(ctx)
}

// Cork has writes gather, by Write and Send, until Uncork: they share TLS records and
// system calls. Write returns at once then. What has gathered leaves earlier when it
// reaches 68 KiB, when the input of Serve is handled, and after ten or twenty
// milliseconds.
// Corks nest: the last Uncork counts.
func (c *Conn) Cork() { c.out.held.Add(1) }

// Uncork ends Cork and sends what has gathered, without waiting for the peer: the
// error is the connection's. It panics without Cork.
func (c *Conn) Uncork() error {
	o := &c.out
	switch n := o.held.Add(-1); {
	case n < 0:
		panic("websocket: Uncork without Cork")
	case n > 0:
		return c.closed()
	}
	if !o.isCorked() {
		c.kick()
	}
	return c.closed()
}
