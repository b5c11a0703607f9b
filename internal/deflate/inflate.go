package deflate

import (
	"encoding/binary"
	"sync"
)

// step is where in the DEFLATE stream an inflater is.
type step uint8

const (
	atBlock   step = iota // before the header of a block
	atLength              // before LEN of a stored block
	inStored              // in the bytes of a stored block
	atDynamic             // before HLIT of a dynamic block
	inLengths             // in its code lengths for the code lengths
	inCodes               // in its code lengths
	inSymbols             // in compressed data
	inMatch               // in a match that did not fit
)

const (
	maxMatch    = 258
	symbolBits  = maxCode + 5 + maxCode + 13 // the most that a length and distance take
	trailerSize = 4
)

// trailer is what a sender takes off a message and a receiver puts back
// (RFC 7692 §7.2.1, §7.2.2).
var trailer = []byte{0x00, 0x00, 0xff, 0xff}

// inflater decodes DEFLATE (RFC 1951) and may run out of input or of room after
// any bit: it consumes a symbol with all that belongs to it, or nothing of it. It
// is lent for the time of a message; all that outlives the message is the window.
type inflater struct {
	// the call in progress
	in   []byte
	out  []byte // room; what this call made is out[base:pos]
	at   int
	pos  int
	base int
	win  *window
	size int // of the window: how far back a match may reach

	// input that was taken, low bits first; the bits above nbits are zero
	hold  uint64
	nbits uint

	// where in the stream
	step     step
	final    bool // BFINAL of this block
	length   int  // bytes left of a stored block or a match
	distance int
	lit      *table
	dist     *table

	// the codes of a dynamic block
	nlit, ndist, nlengths int
	have                  int // code lengths known
	lengths               [maxLiterals + maxDistance]uint8
	litTable, distTable   table
	litRoom               [literalRoom]entry
	distRoom              [distanceRoom]entry
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// run goes on until the input is used up (errInput), the room is (ErrShortDst), or
// the data proves wrong (ErrCorrupt); never does it return nil.
func (z *inflater) run() error {
	for {
		var err error
		switch z.step {
		case atBlock:
			err = z.block()
		case atLength:
			err = z.storedLength()
		case inStored:
			err = z.stored()
		case atDynamic:
			err = z.dynamic()
		case inLengths:
			err = z.codeLengths()
		case inCodes:
			err = z.codes()
		case inSymbols:
			err = z.symbols()
		case inMatch:
			err = z.match()
		}
		if err != nil {
			return err
		}
	}
}

// complete reports whether the stream stands between two blocks, on a byte
// boundary, with no input left.
func (z *inflater) complete() bool {
	return z.step == atBlock && z.nbits == 0 && z.at == len(z.in)
}

// need takes input until there are n bits, at most 48, and reports false if the
// input does not have them.
func (z *inflater) need(n uint) bool {
	for z.nbits < n {
		if z.at == len(z.in) {
			return false
		}
		z.hold |= uint64(z.in[z.at]) << (z.nbits & 63)
		z.at++
		z.nbits += 8
	}
	return true
}

// take consumes n bits, which are there, and returns them.
func (z *inflater) take(n uint) int {
	v := z.hold & (1<<(n&63) - 1)
	z.hold >>= n & 63
	z.nbits -= n
	return int(v)
}

// symbols decodes a block: in large strides while there is plenty of input and
// room, else one symbol at a time.
func (z *inflater) symbols() error {
	z.stride()
	for z.step == inSymbols {
		z.need(symbolBits) // as much of it as there is
		hold := z.hold
		e := z.lit.find(hold)
		used := uint(e & codeLength)
		switch {
		case used > z.nbits:
			return errInput
		case e&kindLiteral != 0:
			if z.pos == len(z.out) {
				return ErrShortDst
			}
			z.out[z.pos] = byte(e >> valueShift)
			z.pos++
			z.take(used)
			continue
		case e&kindEnd != 0:
			z.take(used)
			z.endBlock()
			return nil
		case e&kindMatch == 0:
			return ErrCorrupt
		}
		extra := uint(e >> extraShift & extraMask)
		z.length = int(e>>valueShift) + int(hold>>used&(1<<extra-1))
		used += extra
		d := z.dist.find(hold >> used)
		extra = uint(d >> extraShift & extraMask)
		start := used + uint(d&codeLength)
		switch used = start + extra; {
		case start > z.nbits:
			return errInput
		case d&kindMatch == 0:
			return ErrCorrupt
		case used > z.nbits:
			return errInput
		}
		z.distance = int(d>>valueShift) + int(hold>>start&(1<<extra-1))
		z.take(used)
		if !z.reachable(z.distance) {
			return ErrCorrupt
		}
		z.step = inMatch
	}
	return nil
}

// stride decodes symbols as long as the longest match fits, with what is written beyond
// it, and 16 bytes of input are left, so that neither needs to be looked at for every bit.
func (z *inflater) stride() {
	in, out := z.in, z.out
	at, pos, hold, nbits := z.at, z.pos, z.hold, z.nbits
	lit, dist := *z.lit, *z.dist
	lastIn, lastOut := len(in)-16, len(out)-maxMatch-literalRun-wordSize
	for at <= lastIn && pos <= lastOut {
		// 56 bits are enough for two literals, or for a length and its distance.
		hold |= binary.LittleEndian.Uint64(in[at:]) << (nbits & 63)
		at += int(63-nbits) >> 3
		nbits |= 56
		e := lit.find(hold)
		if e&kindLiteral != 0 {
			hold, nbits = hold>>(e&codeLength), nbits-uint(e&codeLength)
			out[pos] = byte(e >> valueShift)
			e = lit.find(hold)
			if e&kindLiteral != 0 {
				hold, nbits = hold>>(e&codeLength), nbits-uint(e&codeLength)
				out[pos+1] = byte(e >> valueShift)
				pos += 2
				continue
			}
			pos++
			hold |= binary.LittleEndian.Uint64(in[at:]) << (nbits & 63)
			at += int(63-nbits) >> 3
			nbits |= 56
		}
		if e&kindMatch == 0 {
			break // the end of the block, or an error: symbols deals with it
		}
		used := uint(e & codeLength)
		extra := uint(e >> extraShift & extraMask)
		length := int(e>>valueShift) + int(hold>>used&(1<<extra-1))
		used += extra
		d := dist.find(hold >> (used & 63))
		if d&kindMatch == 0 {
			break
		}
		used += uint(d & codeLength)
		extra = uint(d >> extraShift & extraMask)
		distance := int(d>>valueShift) + int(hold>>(used&63)&(1<<extra-1))
		used += extra
		if made := pos - z.base; distance > made || distance > z.size {
			z.pos = pos
			if !z.reachable(distance) {
				break
			}
			z.length, z.distance = length, distance
			z.copyMatch(length)
			pos = z.pos
		} else if distance >= wordSize && length <= shortMatch {
			from, end := pos-distance, pos+length
			for ; pos < end; pos, from = pos+wordSize, from+wordSize {
				binary.LittleEndian.PutUint64(out[pos:], binary.LittleEndian.Uint64(out[from:]))
			}
			pos = end
		} else {
			pos = repeat(out, pos, length, distance)
		}
		hold >>= used & 63
		nbits -= used
	}
	z.at, z.pos, z.nbits = at, pos, nbits
	z.hold = hold & (1<<(nbits&63) - 1) // a stride reads ahead of nbits
}

const (
	wordSize   = 8
	literalRun = 2
	shortMatch = 4 * wordSize // longer ones are for memmove; these are copied in words
)

// repeat copies length bytes from distance bytes before pos to pos, where the two
// may overlap, and returns where they end.
func repeat(out []byte, pos, length, distance int) int {
	from, end := pos-distance, pos+length
	for pos < end {
		pos += copy(out[pos:end], out[from:pos])
	}
	return pos
}

// reachable reports whether a match may refer that far back.
func (z *inflater) reachable(distance int) bool {
	return distance <= z.size && distance <= z.pos-z.base+z.win.n
}

// match copies the match in progress as far as there is room.
func (z *inflater) match() error {
	z.copyMatch(min(z.length, len(z.out)-z.pos))
	if z.length > 0 {
		return ErrShortDst
	}
	z.step = inSymbols
	return nil
}

// copyMatch copies n bytes of the match, from earlier calls or from this one.
func (z *inflater) copyMatch(n int) {
	z.length -= n
	for n > 0 {
		made := z.pos - z.base
		if z.distance <= made {
			z.pos = repeat(z.out, z.pos, n, z.distance)
			return
		}
		k := z.win.copyBack(z.out[z.pos:z.pos+n], z.distance-made)
		z.pos += k
		n -= k
	}
}
