package deflate

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/flate"
)

// writer is the machinery of compression: a megabyte, whatever its window, so it
// is lent for one piece of a message. For another context it is reset, with a window of
// its own copy: what it held of another connection is then out of its reach.
type writer struct {
	flate *flate.Writer
	pool  *sync.Pool
	bits  int // of its window
	out   []byte
	dict  []byte

	owner *Compressor // whose context it still knows; see keep.go
	pos   int64       // where in that context it is
	used  bool        // since the last garbage collection
}

// Write takes what flate makes.
func (w *writer) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// One pool for each kind of writer: levels 1 to 9 have the full window, and other
// windows have no levels.
var (
	levelPools  [10]sync.Pool
	windowPools [maxBits]sync.Pool
)

// borrowWriter lends a writer. Bits or a level that no agreement can have are a
// bug of the caller.
func borrowWriter(bits, level int) *writer {
	if bits < minBits || bits > maxBits || level < 1 || level > 9 {
		panic(fmt.Sprintf("deflate: no compression with %d window bits at level %d", bits, level))
	}
	pool := poolOf(bits, level)
	if w, ok := pool.Get().(*writer); ok {
		return w
	}
	w := &writer{pool: pool, bits: bits}
	var err error
	if bits < maxBits {
		w.flate, err = flate.NewWriterWindow(w, 1<<bits)
	} else {
		w.flate, err = flate.NewWriter(w, level)
	}
	if err != nil {
		panic("deflate: " + err.Error()) // the ranges were checked
	}
	return w
}

func poolOf(bits, level int) *sync.Pool {
	if bits < maxBits {
		return &windowPools[bits]
	}
	return &levelPools[level]
}

func (w *writer) giveBack() {
	w.out, w.owner = nil, nil
	w.pool.Put(w)
}
