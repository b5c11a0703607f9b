package outbox

import (
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// Policy says what Enqueue does if a message would exceed QueueLimit.
type Policy uint8

const (
	// CloseWhenFull drops the queue and appends a close frame with 1013 (try again later).
	CloseWhenFull Policy = iota
	// DropWhenFull drops the new message.
	DropWhenFull
	// BlockWhenFull makes the caller wait until there is room.
	BlockWhenFull
	// ReplaceWhenFull drops the oldest queued messages until there is room, and queues the new one in any case.
	ReplaceWhenFull
)

// queued is a queued message with its key; "" if it has none.
type queued struct {
	*Message
	key string
}

// FullCode and FullReason are those of the close frame of CloseWhenFull.
const (
	FullCode   = frame.TryAgainLater
	FullReason = "queue full"
)

// Errors of Enqueue, besides ErrClosed.
var (
	// ErrOffer: the caller has to flush once before the limit applies. Nothing was changed.
	ErrOffer = errors.New("outbox: flush what is queued first")
	// ErrWait: there is no room, and BlockWhenFull. Nothing was changed.
	ErrWait = errors.New("outbox: wait for room")
	// ErrQueueFull: there is no room, and the message or, with CloseWhenFull, all of the queue was dropped.
	ErrQueueFull = errors.New("outbox: queue full")
)

// Enqueue appends a prepared message to the buffer. It queues the message by reference if others are queued, if a message is being
// streamed, or if it is too long to be copied. A message with a key is always queued, in the place of the queued one with the same
// key if there is one. unsent is the number of bytes that the transport holds; offered says that the caller has tried to flush after
// Enqueue had returned ErrOffer.
func (o *Outbox) Enqueue(m *Message, key string, unsent int64, offered bool) error {
	if o.state != open {
		return ErrClosed
	}
	if key == "" {
		o.held = false // this message is behind the queue
	}
	if !o.hasRoom(m, key, unsent) {
		return o.full(m, key, unsent, offered)
	}
	if key != "" && o.replace(m, key) {
		return nil
	}
	if key != "" || o.streaming || o.hasQueue() || !o.fits(m) {
		o.push(m, key)
		return nil
	}
	o.counts.add(len(m.payload), 0) // how it is encoded is known when it is appended
	o.appendMessage(m)
	return nil
}

// hasRoom reports whether a message fits below the limit, in the place of the queued one with the same key if there is one. One that
// is longer than the limit does when nothing else waits.
func (o *Outbox) hasRoom(m *Message, key string, unsent int64) bool {
	depth := o.Len() + unsent
	if old := o.queuedWith(key); old != nil {
		depth -= int64(len(old.frame))
	}
	return depth <= 0 || depth+int64(len(m.frame)) <= o.options.QueueLimit
}

// queuedWith returns the queued message that a newer one with this key may replace; nil if there is none.
func (o *Outbox) queuedWith(key string) *queued {
	if key == "" || o.backlog == nil {
		return nil
	}
	n, ok := o.backlog.latest[key]
	if !ok {
		return nil
	}
	return &o.backlog.queue[n-o.backlog.first]
}

// push queues a message behind the others.
func (o *Outbox) push(m *Message, key string) {
	o.counts.add(len(m.payload), 0)
	b := o.makeBacklog()
	if key != "" {
		if b.latest == nil {
			b.latest = map[string]int{}
		}
		b.latest[key] = b.first + len(b.queue)
	}
	b.queue = append(b.queue, queued{m, key})
	b.queued += int64(len(m.frame))
}

// replace puts a message in the place of the queued one with the same key, and reports whether there is one.
func (o *Outbox) replace(m *Message, key string) bool {
	old := o.queuedWith(key)
	if old == nil {
		return false
	}
	o.counts.Replaced++
	o.counts.remove(len(old.payload), 0)
	o.counts.add(len(m.payload), 0)
	o.backlog.queued += int64(len(m.frame) - len(old.frame))
	old.Message = m
	return true
}

// pop removes the first n messages of the queue.
func (b *backlog) pop(n int) {
	for _, q := range b.queue[:n] {
		b.queued -= int64(len(q.frame))
		if q.key != "" {
			delete(b.latest, q.key)
		}
	}
	clear(b.queue[:n])
	b.queue = b.queue[n:]
	b.first += n
}

// full applies the policy to a message that exceeds QueueLimit.
func (o *Outbox) full(m *Message, key string, unsent int64, offered bool) error {
	switch {
	case !offered:
		return ErrOffer
	case o.options.WhenFull == BlockWhenFull:
		o.held = false // the caller waits for what is queued
		return ErrWait
	case o.options.WhenFull == ReplaceWhenFull:
		for o.hasQueue() && !o.hasRoom(m, key, unsent) {
			o.counts.Dropped++
			o.counts.remove(len(o.backlog.queue[0].payload), 0)
			o.backlog.pop(1)
		}
		if key == "" || !o.replace(m, key) {
			o.push(m, key)
		}
		return nil
	}
	o.counts.Dropped++
	if o.options.WhenFull == CloseWhenFull {
		o.Close(FullCode, FullReason, false)
	}
	return ErrQueueFull
}

// fits reports whether a message is short enough to be copied to the buffer.
func (o *Outbox) fits(m *Message) bool {
	return len(m.frame) <= MaxCopied && (len(o.buffer) == 0 || len(o.buffer)+len(m.frame) <= Capacity)
}

// CollectAlone returns the frame of a server's message, to be sent at once and without copying, with the position behind it. It
// is nil if something else has to be sent first, or if the message is too long for one write. Nothing else was collected.
func (o *Outbox) CollectAlone(m *Message) (b []byte, end int64) {
	if o.role != frame.Server || len(m.frame) > MaxCopied || !o.Ready() {
		return nil, 0
	}
	o.counts.add(len(m.payload), 0)
	b = o.encode(m)
	o.end += int64(len(b))
	return b, o.end
}

// CollectOnly is Enqueue and Collect of a message in an empty outbox, to which QueueLimit does not apply. The error is ErrClosed,
// ErrStreaming, or ErrFull if something else has to be collected first; then nothing was changed.
func (o *Outbox) CollectOnly(m *Message) (Batch, error) {
	switch {
	case o.state != open:
		return Batch{}, ErrClosed
	case o.streaming:
		return Batch{}, ErrStreaming
	case !o.Empty():
		o.held = false // this message is behind the queue
		return Batch{}, ErrFull
	}
	o.push(m, "")
	return o.Collect(), nil
}

// Batch is what is to be sent next.
type Batch struct {
	// Frames are whole frames. They are borrowed from bufpool: the receiver returns them.
	Frames []byte
	// Long is the frame of a long message, as a server sends it: it is shared, and not to be changed. There are no Frames
	// then.
	Long []byte
	// Masked says that Long has to be masked with Key while it is sent: this is a client.
	Masked bool
	Key    [4]byte
	// End is the position behind both.
	End int64
	// More says that more can be collected.
	More bool
}

// Collect removes the next batch from the outbox.
func (o *Outbox) Collect() Batch {
	var b Batch
	if o.backlog != nil {
		o.collectBacklog(&b)
	}
	b.Frames, o.buffer = o.buffer, nil
	b.End = o.end
	return b
}

// collectBacklog appends a pong and queued messages to the buffer, as many as are sent together.
func (o *Outbox) collectBacklog(b *Batch) {
	w := o.backlog
	if w.hasPong && o.state == open {
		o.append(&frame.Header{Fin: true, Opcode: frame.Pong, Length: int64(len(w.pong))}, w.pong)
	}
	w.hasPong = false
	if b.Long = o.dequeue(w); len(b.Long) > 0 && o.role == frame.Client {
		b.Masked, b.Key = true, mask.NewKey()
	}
	switch {
	case len(w.queue) > 0:
		b.More = !o.streaming && !o.held
		return
	case o.state == closing && len(b.Long) > 0:
		b.More = true // the close frame follows
		return
	case o.state == closing:
		o.appendClose(w.close)
	}
	o.backlog = nil
}

// dequeue moves messages from the queue to the buffer, as many as fit. A long one is returned instead, if nothing is
// buffered before it.
func (o *Outbox) dequeue(w *backlog) (long []byte) {
	n := 0
	for _, q := range w.queue {
		m := q.Message
		if o.streaming || o.held || len(o.buffer) > 0 && len(o.buffer)+len(m.frame) > Capacity {
			break
		}
		n++
		if len(m.frame) > MaxCopied && len(o.buffer) == 0 {
			long = o.encode(m)
			o.end += int64(len(long))
			if o.role == frame.Client {
				o.end += int64(len(frame.Header{}.Key))
			}
			break
		}
		o.appendMessage(m)
	}
	w.pop(n)
	return long
}

// dropQueue drops the queued messages.
func (o *Outbox) dropQueue() {
	if o.backlog == nil {
		return
	}
	for _, m := range o.backlog.queue {
		o.counts.Dropped++
		o.counts.remove(len(m.payload), 0)
	}
	o.backlog.queue, o.backlog.queued, o.backlog.latest = nil, 0, nil
}

// appendMessage appends a prepared message to the buffer.
func (o *Outbox) appendMessage(m *Message) {
	b := o.encode(m)
	n := len(o.buffer)
	o.reserve(n + len(b) + len(frame.Header{}.Key))
	if o.role == frame.Server {
		o.buffer = append(o.buffer, b...)
	} else {
		o.buffer = appendMasked(o.buffer, b)
	}
	o.end += int64(len(o.buffer) - n)
}

// encode returns the frame of m as a server sends it here, counts it, and tells the compressor.
func (o *Outbox) encode(m *Message) []byte {
	b, compressed := m.frameFor(o.deflate, o.options.Threshold)
	n := int64(len(m.payload))
	if compressed {
		o.deflate.Sent(m.payload)
		var h frame.Header
		_, _ = h.Parse(b) // our own: it is whole and in order
		n = h.Length
	}
	o.counts.Encoded += n
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
