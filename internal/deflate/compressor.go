package deflate

import "slices"

// Compressor is the sending side of permessage-deflate on one connection.
//
// The exported fields are settings, fixed before the first call. The zero value
// is what an agreement without parameters means, at the default level. It holds
// the window that has been filled, at most 32 KiB, and nothing with NoTakeover
// between messages. Not for concurrent use.
type Compressor struct {
	// WindowBits is the max_window_bits of our direction, 8 to 15; 0 means 15. No
	// match refers farther back than 2^WindowBits bytes, and neither is more kept.
	WindowBits int

	// Level is the effort, from 1, fast, to 9; 0 means 7 with context takeover, 5
	// without, and 3 for long messages. It counts only with 15 window bits: smaller
	// windows have one effort, like that of level 5. Where the window has to be loaded
	// that is most of the work: of 1 KiB, 12 bits save 1% less than 15, in a fourth of
	// the time.
	Level int

	// NoTakeover is the no_context_takeover of our direction: each message begins
	// with an empty window.
	NoTakeover bool

	win    window
	pos    int64   // bytes that ever entered the context
	kept   *writer // one that knows the context; guarded by keeper.mu
	open   bool    // a message is in progress, by pieces
	bulk   bool    // what was compressed last was long
	hit    bool    // a message has been shortened
	misses int     // messages since that were not
}

// Range of max_window_bits (RFC 7692 §7.1.2).
const (
	minBits = 8
	maxBits = 15
)

// Append appends the compressed payload of a whole message to dst, and returns
// the extended slice and true. If that saves nothing, it returns dst as it was
// and false: send the message uncompressed, the context does not know it then.
// With context takeover some messages that it does not shorten are compressed all
// the same, at a cost of some bytes: else a context that does not serve, an empty
// one to begin with, would never become one that does. p is not kept. It panics
// while a message is in progress.
func (c *Compressor) Append(dst, p []byte) ([]byte, bool) {
	if c.open {
		panic("deflate: Append within a message")
	}
	if len(p) < minPlain {
		return dst, false
	}
	n := len(dst)
	out, w := c.compress(dst, p)
	out = out[:len(out)-trailerSize]
	switch {
	case len(out)-n < len(p):
		c.hit, c.misses = true, 0
	case c.NoTakeover || len(p) > c.size() || !c.primes():
		w.giveBack() // it knows what the peer does not
		return out[:n], false
	}
	c.entered(w, p, !c.NoTakeover, false)
	return out, true
}

// primes reports whether a message that is not shortened enters the context: the
// first ones do, and later ever fewer, once a context that served does so no more.
func (c *Compressor) primes() bool {
	c.misses++
	if c.hit && c.misses <= patience {
		return false
	}
	return c.misses&(c.misses-1) == 0 || c.misses%maxPause == 0
}

const (
	patience = 8   // misses after which a context counts as outdated
	maxPause = 256 // misses between two messages that prime, at the most
)

// minPlain is the size of the smallest message that compression can shorten: the
// fixed code takes 10 bits for a match, and 3 and 10 around it.
const minPlain = 4

// AppendPiece appends the next piece of a message that is sent as it comes into
// being, with all of p in it so that the peer can inflate it at once; final says
// that the message ends. Each result is the payload of a frame, or any part of
// one. A piece costs 5 bytes and the loading of the window, so pieces of 16 KiB
// and more are best. An empty last piece is one byte (RFC 7692 §7.2.3.6).
//
// Between pieces the Compressor holds the window, even with NoTakeover. A message
// that was begun must be sent to its end, or the contexts are no longer the same.
func (c *Compressor) AppendPiece(dst, p []byte, final bool) []byte {
	c.open = !final
	switch {
	case len(p) == 0 && final:
		dst = append(dst, 0x00)
	case len(p) == 0:
		return dst
	default:
		var w *writer
		dst, w = c.compress(dst, p)
		if final {
			dst = dst[:len(dst)-trailerSize]
		}
		c.entered(w, p, !final || !c.NoTakeover, c.NoTakeover)
	}
	if final && c.NoTakeover {
		c.Close()
	}
	return dst
}

// entered notes that p, compressed by w, has been sent. With stays, what comes next may
// refer to it.
func (c *Compressor) entered(w *writer, p []byte, stays, pool bool) {
	if !stays {
		w.giveBack()
		return
	}
	c.win.add(p, c.size(), pool)
	c.pos += int64(len(p))
	if w.bits == c.bits() {
		c.keep(w)
	} else {
		w.giveBack() // its window is larger than ours
	}
}

// Sent tells the Compressor that the message p was sent compressed without it: by
// another Compressor that was in its initial state and has no larger WindowBits.
// So a message can be compressed once for many connections, and each keeps its
// context.
func (c *Compressor) Sent(p []byte) {
	if !c.NoTakeover {
		c.win.add(p, c.size(), false)
		c.pos += int64(len(p))
	}
}

// Close returns the memory of a message in progress to the pool. The Compressor must
// not be used afterwards, but closing it again is allowed.
func (c *Compressor) Close() {
	c.dropKept()
	c.win.drop()
}

// compress appends p compressed in the present context, up to a byte boundary. The
// writer that did it is for the caller to return.
func (c *Compressor) compress(dst, p []byte) ([]byte, *writer) {
	bits, level, reach := c.bits(), c.effort(len(p)), c.size()
	if len(p) < fastMin && c.win.n > 0 && (level < chainLevel || bits < maxBits) {
		// The window that this writer has is larger than ours, so with p in it
		// what we load must not be more than ours.
		bits, level, reach = maxBits, chainLevel, reach-len(p)
	}
	var w *writer
	if c.win.n > 0 {
		w = c.takeKept(bits, level)
	}
	if w == nil {
		w = borrowWriter(bits, level)
		w.dict = c.win.appendTo(w.dict[:0])
		w.flate.ResetDict(w, w.dict[max(0, len(w.dict)-reach):])
	}
	w.out = slices.Grow(dst, min(len(p), firstRoom)+trailerSize)
	// Writing to w never fails, so neither does the writer above it.
	w.flate.Write(p)
	w.flate.Flush()
	return w.out, w
}

// flate's faster methods, which are all but levels 7 to 9, look for no matches in
// less than fastMin bytes: what is short would never profit from the context.
const (
	fastMin    = 128
	chainLevel = 7
)

func (c *Compressor) bits() int {
	if c.WindowBits == 0 {
		return maxBits
	}
	return c.WindowBits
}

func (c *Compressor) size() int { return 1 << c.bits() }
