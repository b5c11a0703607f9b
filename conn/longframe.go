package conn

import (
	"context"
	"errors"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/mask"
)

// A long frame is given to the transport in parts, each of which is flushed: chunk bytes, which are four whole TLS records.
// The last part may be longer by tail, so that a payload of 64 KiB and its header are flushed once.
const (
	record = 16384
	chunk  = 4 * record
	tail   = bufpool.Bulk - chunk
)

// partSize returns how much of n bytes is flushed next.
func partSize(n int) int {
	if n <= chunk+tail {
		return n
	}
	return chunk
}

// payload is that of a frame: head and then p. With a header head fits one record.
type payload struct {
	head, p []byte
	room    []byte // before p in the same memory, for the header; nil if that is not ours
}

// compressFunc compresses a payload and completes its header. scratch goes back to the pool.
type compressFunc func(h *frame.Header, p []byte) (compressed, scratch []byte)

// sendLongMessage sends a message that is too long to be copied, as one frame.
func (s *sender) sendLongMessage(ctx context.Context, op frame.Opcode, p []byte, compress bool) error {
	if err := s.lockFrames(ctx); err != nil {
		return err
	}
	defer s.framesTurn.Unlock()
	var how compressFunc
	if compress {
		how = s.outbox.Compress
		// Messages must be sent in the order in which they are compressed: no other may be enqueued meanwhile.
		if err := s.beginStream(ctx); err != nil {
			return err
		}
		defer s.endStream()
	}
	h := &frame.Header{Fin: true, Opcode: op, Length: int64(len(p))}
	err := s.sendFrame(ctx, h, payload{p: p}, how)
	if isSent(err) {
		s.countMessage(len(p))
	}
	return err
}

// isSent reports whether a send that returned err was or will be delivered.
func isSent(err error) bool {
	_, later := resumable(err)
	return err == nil || later
}

// countMessage counts a message that was sent in frames.
func (s *sender) countMessage(n int) {
	s.mu.Lock()
	s.outbox.CountMessage(n)
	s.mu.Unlock()
}

// lockFrames waits for the turn to send a message in frames.
func (s *sender) lockFrames(ctx context.Context) error {
	ok, err := s.framesTurn.Lock(ctx, s.life)
	if ok {
		return nil
	}
	return s.life.because(err)
}

// awaitFrames returns when the message that is being streamed has ended.
func (s *sender) awaitFrames(ctx context.Context) error {
	err := s.lockFrames(ctx)
	if err == nil {
		s.framesTurn.Unlock()
	}
	return err
}

// beginStream keeps other messages out of the outbox, once what is queued was sent. The stream's token is held.
func (s *sender) beginStream(ctx context.Context) error {
	for {
		s.mu.Lock()
		err := s.outbox.BeginStream()
		s.mu.Unlock()
		switch err {
		case outbox.ErrFull:
			err = s.flush(ctx)
		case outbox.ErrClosed:
			return s.life.sendErr()
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// endStream lets other messages in again, and sends what was queued meanwhile.
func (s *sender) endStream() {
	s.mu.Lock()
	queued := s.outbox.EndStream()
	s.mu.Unlock()
	if queued {
		s.tryFlushUncorked()
	}
}

// sendFrame sends one data frame of any length behind what is there. Its payload has a head only without a compressor. The
// stream's token is held. Until the payload is compressed, if at all, an error means that nothing was sent; from then on
// the frame is sent whole.
func (s *sender) sendFrame(ctx context.Context, h *frame.Header, m payload, compress compressFunc) error {
	if ok, err := s.lock(ctx); !ok {
		return err
	}
	defer s.unlock()
	s.release() // the frame is sent behind the queue
	if err := s.sendAll(ctx); err != nil {
		if e, ok := resumable(err); ok {
			return e.Err
		}
		return err
	}
	if err := s.life.sendErr(); err != nil {
		return err
	}
	if compress != nil {
		var scratch []byte
		m.p, scratch = compress(h, m.p)
		m.room = nil
		defer bufpool.Put(scratch)
	}
	s.mu.Lock()
	err := s.outbox.StartFrame(h)
	s.mu.Unlock()
	if err != nil {
		return s.life.sendErr()
	}
	if h.Masked {
		return s.sendMasked(ctx, h, m.head, m.p)
	}
	return s.sendPlain(ctx, h, m)
}

// sendMasked masks a frame while it copies it, a record at a time, so that it is still in the L1 cache when it is encrypted.
func (s *sender) sendMasked(ctx context.Context, h *frame.Header, head, p []byte) (err error) {
	b := bufpool.Get(record)
	defer bufpool.Put(b)
	n := len(h.Append(b[:0]))
	pos := 0
	for left := n + len(head) + len(p); left > 0; {
		for more := partSize(left); more > 0; n = 0 {
			k := min(more, record)
			for _, src := range []*[]byte{&head, &p} {
				m := mask.Copy(b[n:k], *src, h.Key, pos)
				*src, n, pos = (*src)[m:], n+m, pos+m
			}
			left, more = left-k, more-k
			err = s.sendPart(ctx, b[:k], true, more == 0, err)
		}
	}
	return err
}

// sendPlain sends a frame without copying, except the first record if m has no room for the header. A message
// that one flush sends is collected in the transport, as its receiver has nothing to do before all of it comes.
func (s *sender) sendPlain(ctx context.Context, h *frame.Header, m payload) error {
	size := h.Size() + int(h.Length)
	through := !h.Fin || partSize(size) < size
	if m.room != nil {
		at := len(m.room) - h.Size()
		h.Append(m.room[at:at])
		return s.sendParts(ctx, m.room[at:at+size], partSize(size), through)
	}
	b := bufpool.Get(record)
	n := len(h.Append(b[:0]))
	n += copy(b[n:record], m.head)
	k := copy(b[n:record], m.p)
	n, p := n+k, m.p[k:]
	err := s.sendPart(ctx, b[:n], through, len(p) == 0, nil)
	bufpool.Put(b)
	if err != nil {
		return err // nothing can be sent, or it was all
	}
	return s.sendParts(ctx, p, partSize(size)-n, through)
}

// sendParts sends p, and flushes after the first k bytes and then after each part.
func (s *sender) sendParts(ctx context.Context, p []byte, k int, through bool) (err error) {
	for len(p) > 0 {
		err = s.sendPart(ctx, p[:k], through, true, err)
		p = p[k:]
		k = partSize(len(p))
	}
	return err
}

// sendPart sends a part of a frame, and flushes if that is wanted. Once interrupted, the rest is only given to the
// transport: a frame that has begun must be sent whole.
func (s *sender) sendPart(ctx context.Context, p []byte, through, flush bool, interrupted error) error {
	if interrupted != nil && (s.life.hasEnded() || s.life.broken()) {
		return interrupted
	}
	if err := s.transport.Write(p, through); err != nil {
		return s.writeFailed(err)
	}
	if interrupted == nil && flush {
		return s.flushTransport(ctx)
	}
	if e, ok := errors.AsType[*InterruptedError](interrupted); ok {
		e.Pending = s.transport.Pending()
	}
	return interrupted
}
