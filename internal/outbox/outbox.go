// Package outbox holds what one side of a connection is going to send: frames in their order, the messages
// queued behind them, and the close frame behind which nothing follows. It decides and does no I/O: it knows no
// context, no transport and no goroutine.
//
// A connection's send side appends frames, and whoever may send collects them together. So the frames of writers that
// meet share one TLS record and one system call.
package outbox

import (
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/mask"
)

// Sizes of what is buffered.
const (
	// Capacity is how many bytes of frames are buffered before they have to be collected: 64 messages of 1 KiB,
	// for example.
	Capacity = 68 << 10
	// MaxCopied is the longest message that is copied to the buffer. A longer one is sent without copying.
	MaxCopied = 16 << 10
)

// Errors of the methods that append. None of them changes anything.
var (
	// ErrClosed: a close frame was appended, or Break or Drop was called.
	ErrClosed = errors.New("outbox: nothing may follow")
	// ErrFull: what is buffered or queued has to be collected first.
	ErrFull = errors.New("outbox: collect first")
	// ErrStreaming: a message is being streamed, and no other message may come between its fragments.
	ErrStreaming = errors.New("outbox: a message is being streamed")
)

// Outbox holds what is to be sent. New makes one. It is not for concurrent use, but for FrameSize and Encode, which may
// be called at any time, and Compress and CompressFragment, which are for whoever streams a message.
type Outbox struct {
	role      frame.Role
	state     state
	streaming bool
	held      bool                // Hold was called: the queue waits
	inside    bool                // a compressed message has begun to be sent in fragments, and has not ended
	deflate   *deflate.Compressor // nil: nothing is compressed
	options   *Options

	buffer  []byte   // borrowed; frames that have not been collected
	end     int64    // position behind buffer: the bytes that were ever appended
	backlog *backlog // what follows the buffer; nil: nothing does
	counts  Counts
}

// backlog is what waits until the buffer has been collected, which most connections seldom have.
type backlog struct {
	hasPong bool
	pong    []byte // payload of the answer to the latest ping, which found the buffer full
	queue   []queued
	queued  int64          // bytes of queue
	latest  map[string]int // by key, the number of the message in queue that may be replaced
	first   int            // number of queue[0]
	close   closeFrame     // with state closing
}

// state says what may be appended.
type state uint8

const (
	open    state = iota
	closing       // the close frame is appended when the queue is empty; nothing else is
	closed        // nothing is appended
	dropped       // nothing is appended, and nothing is held
)

// Options are what connections share. They do not change.
type Options struct {
	// QueueLimit is how many bytes may wait for the peer, the transport's own included, before Enqueue finds no
	// room.
	QueueLimit int64
	// WhenFull is what Enqueue does then.
	WhenFull Policy
	// Threshold is the size in bytes from which messages are compressed.
	Threshold int
}

// Counts are what was appended. Messages that were taken back, or dropped from the queue, are not in it.
type Counts struct {
	Messages int64 // text and binary
	Payload  int64 // bytes of those messages, uncompressed
	Encoded  int64 // bytes that they take in frames
	Control  int64 // close, ping and pong frames
	Dropped  int64 // messages of the queue that were given up
	Replaced int64 // messages of the queue whose place a later one with the same key has taken
}

// closeFrame is the close frame that waits for the queue.
type closeFrame struct {
	code   frame.StatusCode
	reason string
}

// New returns an outbox of one role. compressor may be nil; so may response, the bytes that a
// server's handshake sends before the first frame.
func New(role frame.Role, options *Options, compressor *deflate.Compressor, response []byte) Outbox {
	o := Outbox{role: role, options: options, deflate: compressor}
	if len(response) > 0 {
		o.reserve(len(response))
		o.buffer = append(o.buffer, response...)
		o.end = int64(len(response))
	}
	return o
}

// Entry is a data frame that was appended.
type Entry struct {
	// End is the position behind the frame: it was sent when all up to there was.
	End     int64
	size    int64 // bytes of the frame; 0: it cannot be taken back
	encoded int64 // bytes of its payload
	payload int   // bytes of its payload before compression
}

// Append appends a whole message of at most MaxCopied bytes, compressed if that was asked for and saves
// something. p is not kept. The error is ErrClosed, ErrFull or ErrStreaming.
func (o *Outbox) Append(op frame.Opcode, p []byte, compress bool) (Entry, error) {
	h := frame.Header{Fin: true, Opcode: op, Length: int64(len(p))}
	switch {
	case o.state != open:
		return Entry{}, ErrClosed
	case o.streaming:
		return Entry{}, ErrStreaming
	case o.hasQueue(), len(o.buffer) > 0 && len(o.buffer)+o.FrameSize(&h) > Capacity:
		o.held = false // this message is behind the queue
		return Entry{}, ErrFull
	}
	before := o.end
	if compress && o.deflate != nil {
		payload, scratch := o.Compress(&h, p)
		o.append(&h, payload)
		bufpool.Put(scratch)
	} else {
		o.append(&h, p)
	}
	o.counts.add(len(p), h.Length)
	e := Entry{End: o.end, size: o.end - before, encoded: h.Length, payload: len(p)}
	if h.RSV != 0 && !o.deflate.NoTakeover {
		e.size = 0 // the compressor's window holds the message: it has to be sent
	}
	return e, nil
}

// Retract takes a frame back, unless it was collected or another was appended behind it.
func (o *Outbox) Retract(e Entry) bool {
	if e.size == 0 || o.end != e.End || int64(len(o.buffer)) < e.size || o.state != open {
		return false
	}
	if o.buffer = o.buffer[:int64(len(o.buffer))-e.size]; len(o.buffer) == 0 {
		bufpool.Put(o.buffer) // whoever collects nothing else would not return it
		o.buffer = nil
	}
	o.end -= e.size
	o.counts.remove(e.payload, e.encoded)
	return true
}

// Control appends a ping or a pong, whatever is there, and returns the position behind it, or ErrClosed.
func (o *Outbox) Control(op frame.Opcode, payload []byte) (end int64, err error) {
	if o.state != open {
		return 0, ErrClosed
	}
	o.append(&frame.Header{Fin: true, Opcode: op, Length: int64(len(payload))}, payload)
	return o.end, nil
}

// More than pongsAhead buffered bytes are a reason to send. While the transport has unsent bytes, at most
// pongsAheadStuck are buffered; after that only the latest pong is kept.
const (
	pongsAhead      = 8 << 10
	pongsAheadStuck = 4 << 10
)

// Pong answers a ping, and reports whether it is time to send. stuck says that the peer has not taken what was sent
// before: then only the answer to its latest ping is kept (RFC 6455 §5.5.3), so that a flood costs nothing. The error
// is ErrClosed.
func (o *Outbox) Pong(payload []byte, stuck bool) (send bool, err error) {
	if o.state != open {
		return false, ErrClosed
	}
	n := len(o.buffer) + len(payload) + frame.MaxHeaderSize
	if full := stuck && n > pongsAheadStuck || n > Capacity; full || o.backlog != nil && o.backlog.hasPong {
		b := o.makeBacklog()
		b.hasPong, b.pong = true, append(b.pong[:0], payload...)
		return false, nil
	}
	_, err = o.Control(frame.Pong, payload)
	return !stuck && len(o.buffer) > pongsAhead, err
}

// Close appends the close frame, once: nothing is appended behind it (RFC 6455 §5.5.1). With afterQueue it follows the
// messages that are queued; else they are dropped. (While a message is being streamed they are dropped too, as the
// stream would have to end first.) It reports whether there was no close frame yet. The code and the reason must be
// valid.
func (o *Outbox) Close(code frame.StatusCode, reason string, afterQueue bool) bool {
	if o.state != open {
		return false
	}
	o.held = false
	if afterQueue && !o.streaming && o.hasQueue() {
		o.state = closing
		o.backlog.close = closeFrame{code, reason}
		return true
	}
	o.dropQueue()
	o.appendClose(closeFrame{code, reason})
	return true
}

// appendClose is the only place where a close frame is appended.
func (o *Outbox) appendClose(c closeFrame) {
	o.state = closed
	body, _ := frame.AppendClose(nil, c.code, c.reason)
	o.append(&frame.Header{Fin: true, Opcode: frame.Close, Length: int64(len(body))}, body)
}

// Closed reports whether Close, Break or Drop was called.
func (o *Outbox) Closed() bool { return o.state != open }

// Break refuses further frames, the close frame included: nothing can be sent.
func (o *Outbox) Break() { o.state = max(o.state, closed) }

// Drop returns all that is held to the pool: the connection has ended. Frames that were not collected are not sent.
func (o *Outbox) Drop() {
	o.state = dropped
	o.held = false
	bufpool.Put(o.buffer)
	o.buffer = nil
	o.dropQueue()
	o.backlog = nil
	o.dropWindow()
}

// dropWindow gives the compressor's memory back. Whoever is streaming a message uses it until EndStream.
func (o *Outbox) dropWindow() {
	if o.state == dropped && o.deflate != nil && !o.streaming {
		o.deflate.Close()
	}
}

// StartFrame completes the header of a data frame that is sent without copying: by whoever may send and has collected all
// that was buffered. Its message is counted by CountMessage. The error is ErrClosed.
func (o *Outbox) StartFrame(h *frame.Header) error {
	if o.state != open {
		return ErrClosed
	}
	if o.role == frame.Client {
		h.Masked, h.Key = true, mask.NewKey()
	}
	o.inside = !h.Fin && (o.inside || h.RSV&frame.RSV1 != 0)
	o.counts.Encoded += h.Length
	return nil
}

// InsideCompressed reports whether a control frame that is appended now would be sent between the fragments of a
// compressed message. Some implementations (wsproto, Tornado, Java-WebSocket) read the rest of such a message as
// uncompressed.
func (o *Outbox) InsideCompressed() bool { return o.inside }

// CountMessage counts a message of n bytes whose frames were given to StartFrame.
func (o *Outbox) CountMessage(n int) { o.counts.add(n, 0) }

// BeginStream has messages wait until EndStream, since a message is being sent in fragments. The error is ErrFull
// while others are queued, or ErrClosed.
func (o *Outbox) BeginStream() error {
	switch {
	case o.state != open:
		return ErrClosed
	case o.hasQueue():
		o.held = false // the stream is behind the queue
		return ErrFull
	}
	o.streaming = true
	return nil
}

// EndStream ends what BeginStream began, and reports whether messages were queued meanwhile.
func (o *Outbox) EndStream() (queued bool) {
	o.streaming = false
	o.dropWindow()
	return o.hasQueue()
}

// makeBacklog returns what waits behind the buffer, to be added to.
func (o *Outbox) makeBacklog() *backlog {
	if o.backlog == nil {
		o.backlog = new(backlog)
	}
	return o.backlog
}

func (o *Outbox) hasQueue() bool { return o.backlog != nil && len(o.backlog.queue) > 0 }

// Hold has the queue wait until Release, or until something is to be sent behind it that cannot replace anything: a message without a
// key, a stream or the close frame. Control frames are collected meanwhile.
func (o *Outbox) Hold() { o.held = o.state == open }

// Release ends what Hold began, and reports whether messages were waiting.
func (o *Outbox) Release() (waited bool) {
	waited = o.held && o.hasQueue()
	o.held = false
	return waited
}

// Held reports whether messages wait for Release.
func (o *Outbox) Held() bool { return o.held && o.hasQueue() }

// Streaming reports whether a message is being streamed.
func (o *Outbox) Streaming() bool { return o.streaming }

// Empty reports whether there is nothing to collect, now or later.
func (o *Outbox) Empty() bool {
	return len(o.buffer) == 0 && o.backlog == nil
}

// Ready reports whether the next message would be the first to be collected: nothing is before it, and it may be
// appended.
func (o *Outbox) Ready() bool { return o.state == open && !o.streaming && o.Empty() }

// Len returns the bytes that are buffered or queued.
func (o *Outbox) Len() int64 {
	n := int64(len(o.buffer))
	if o.backlog != nil {
		n += o.backlog.queued
	}
	return n
}

// Begin returns the position behind all that was collected.
func (o *Outbox) Begin() int64 { return o.end - int64(len(o.buffer)) }

// End returns the position behind all that was appended.
func (o *Outbox) End() int64 { return o.end }

// Counts returns what was appended.
func (o *Outbox) Counts() Counts { return o.counts }

// FrameSize returns the bytes that a frame takes, its masking key included.
func (o *Outbox) FrameSize(h *frame.Header) int {
	n := h.Size() + int(h.Length)
	if o.role == frame.Client && !h.Masked {
		n += len(h.Key)
	}
	return n
}

// append appends a frame to the buffer, masked if this role has to.
func (o *Outbox) append(h *frame.Header, p []byte) {
	if h.Opcode.IsControl() {
		o.counts.Control++
	}
	before := len(o.buffer)
	o.reserve(before + len(p) + frame.MaxHeaderSize)
	if o.role == frame.Client {
		h.Masked, h.Key = true, mask.NewKey()
	}
	o.buffer = h.Append(o.buffer)
	n := len(o.buffer)
	o.buffer = o.buffer[:n+len(p)]
	if h.Masked {
		mask.Copy(o.buffer[n:], p, h.Key, 0)
	} else {
		copy(o.buffer[n:], p)
	}
	o.end += int64(len(o.buffer) - before)
}

// reserve makes the buffer's capacity at least n.
func (o *Outbox) reserve(n int) {
	if n <= cap(o.buffer) {
		return
	}
	b := bufpool.Get(max(n, min(2*len(o.buffer), bufpool.Huge)))
	k := copy(b, o.buffer)
	bufpool.Put(o.buffer)
	o.buffer = b[:k]
}

// add counts a message of n bytes that takes encoded bytes in frames.
func (c *Counts) add(n int, encoded int64) {
	c.Messages++
	c.Payload += int64(n)
	c.Encoded += encoded
}

// remove takes back what add counted.
func (c *Counts) remove(n int, encoded int64) {
	c.Messages--
	c.Payload -= int64(n)
	c.Encoded -= encoded
}
