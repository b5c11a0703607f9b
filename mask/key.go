package mask

import (
	"crypto/rand"
	"sync"
)

// NewKey returns a masking key from crypto/rand. A client draws a new one for
// every frame (RFC 6455 §5.3): whoever supplies the payload must not be able to
// predict the bytes on the wire (§10.3). Being 32 bits of chance, keys do repeat
// now and then.
//
// NewKey is safe for concurrent use, does not allocate in the steady state, and
// cannot fail: crypto/rand ends the program when the system has no randomness.
func NewKey() [4]byte {
	b := blocks.Get().(*block)
	key := b.take()
	blocks.Put(b)
	return key
}

// blockSize is a batch of 256 keys: the system is asked for randomness so
// seldom that its price per key vanishes.
const blockSize = 1024

// block holds randomness for the keys to come. It belongs to one goroutine
// between Get and Put, so no two callers see the same bytes.
type block struct {
	random [blockSize]byte
	used   int
}

var blocks = sync.Pool{New: func() any { return &block{used: blockSize} }}

// take returns the next key and erases it here: a later look at this memory
// must not tell the keys of frames already sent.
func (b *block) take() (key [4]byte) {
	if b.used == blockSize {
		rand.Read(b.random[:]) // never returns an error
		b.used = 0
	}
	next := b.random[b.used:][:len(key)]
	copy(key[:], next)
	clear(next)
	b.used += len(key)
	return key
}
