package wire

import "github.com/seed-c4549abd/wss/internal/bufpool"

// queue holds bytes on their way to the kernel, in borrowed chunks, in order.
// The zero value is empty and holds no memory.
type queue struct {
	chunks []chunk
	first  [1]chunk // where chunks begins: one is the rule
	size   int
}

// chunk holds buf[r:w]. New bytes go behind w, so the part that the kernel is
// being given is never touched.
type chunk struct {
	buf  []byte
	r, w int
}

// fullRecord is the plaintext of the largest TLS record; its ciphertext is longer.
const fullRecord = 16384

// add appends a copy of p. busy says that the head is being written from, so it
// may not move.
func (q *queue) add(p []byte, busy bool) {
	q.size += len(p)
	for len(p) > 0 {
		t := q.tail()
		if t == nil || t.w == len(t.buf) || !busy && t.w+len(p) > len(t.buf) && len(t.buf) < bufpool.Bulk {
			t = q.grow(t, len(p), busy)
		}
		n := copy(t.buf[t.w:], p)
		t.w += n
		p = p[n:]
	}
}

func (q *queue) tail() *chunk {
	if len(q.chunks) == 0 {
		return nil
	}
	return &q.chunks[len(q.chunks)-1]
}

// grow returns a tail with room: the only chunk moved to a larger buffer while
// it may move, so that what is buffered is sent in one piece, else a new chunk.
func (q *queue) grow(t *chunk, n int, busy bool) *chunk {
	if t != nil && len(q.chunks) == 1 && !busy && len(t.buf) < bufpool.Bulk {
		b := bufpool.Get(min(t.w-t.r+n, bufpool.Bulk))
		if len(b) <= len(t.buf) {
			bufpool.Put(b)
			b = bufpool.Get(bufpool.Bulk)
		}
		w := copy(b, t.buf[t.r:t.w])
		bufpool.Put(t.buf)
		*t = chunk{buf: b, w: w}
		return t
	}
	size := n
	if t == nil {
		q.chunks = q.first[:0]
	}
	if t != nil || n >= fullRecord {
		size = bufpool.Bulk // more is to be expected
	}
	q.chunks = append(q.chunks, chunk{buf: bufpool.Get(min(size, bufpool.Bulk))})
	return q.tail()
}

// head returns the bytes to be written next; they stay valid until advance.
func (q *queue) head() []byte {
	if len(q.chunks) == 0 {
		return nil
	}
	h := &q.chunks[0]
	return h.buf[h.r:h.w]
}

// advance removes n bytes from the head and returns an empty chunk to the pool.
func (q *queue) advance(n int) {
	if n == 0 {
		return
	}
	q.size -= n
	h := &q.chunks[0]
	if h.r += n; h.r < h.w {
		return
	}
	bufpool.Put(h.buf)
	q.chunks[0] = chunk{}
	q.chunks = q.chunks[1:]
}

// drop forgets everything.
func (q *queue) drop() {
	for _, c := range q.chunks {
		bufpool.Put(c.buf)
	}
	*q = queue{}
}
