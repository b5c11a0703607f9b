package deflate

import (
	"math/bits"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// window is what a message may refer back to: the last bytes of the messages
// before it, as a ring that grows to its final size only when it is filled. The
// ring's length is a power of two. The zero value is empty.
type window struct {
	ring   []byte
	n      int  // bytes held
	next   int  // where the next byte goes
	pooled bool // ring comes from bufpool
}

const minRing = 256

// add appends p, of which the last size bytes matter. With pool, memory is
// borrowed: such a window must be dropped soon.
func (w *window) add(p []byte, size int, pool bool) {
	if len(p) == 0 {
		return
	}
	p = p[max(0, len(p)-size):]
	if w.n+len(p) > len(w.ring) && len(w.ring) < size {
		w.grow(min(size, w.n+len(p)), pool)
	}
	mask := len(w.ring) - 1
	k := copy(w.ring[w.next:], p)
	copy(w.ring, p[k:])
	w.next = (w.next + len(p)) & mask
	w.n = min(w.n+len(p), len(w.ring))
}

// grow moves the window to a ring of n bytes or more. It never has to if the
// ring has its final size, so it has not wrapped yet.
func (w *window) grow(n int, pool bool) {
	n = max(minRing, 1<<bits.Len(uint(n-1)))
	var ring []byte
	if pool {
		ring = bufpool.Get(n)[:n]
	} else {
		ring = make([]byte, n)
	}
	held := w.n
	w.appendTo(ring[:0])
	w.drop()
	*w = window{ring: ring, n: held, next: held & (n - 1), pooled: pool}
}

// appendTo appends all bytes held to dst, oldest first.
func (w *window) appendTo(dst []byte) []byte {
	if w.n == 0 {
		return dst
	}
	start := (w.next - w.n) & (len(w.ring) - 1)
	first := min(w.n, len(w.ring)-start)
	dst = append(dst, w.ring[start:start+first]...)
	return append(dst, w.ring[:w.n-first]...)
}

// copyBack copies bytes that begin back bytes before the end, 1 to n, and
// returns how many: at least one, up to the end or to where the ring wraps.
func (w *window) copyBack(dst []byte, back int) int {
	start := (w.next - back) & (len(w.ring) - 1)
	return copy(dst, w.ring[start:min(len(w.ring), start+back)])
}

// drop empties the window and gives up its memory.
func (w *window) drop() {
	if w.pooled {
		bufpool.Put(w.ring[:cap(w.ring)])
	}
	*w = window{}
}
