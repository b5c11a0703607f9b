package suite

import (
	"errors"
	"math/bits"
	"sync"
)

// codes decodes a Huffman code of RFC 1951 §3.2. It is looked up with the next bits of the stream; a code that is longer than
// they are leads to a second look.
type codes struct {
	entries []entry
	first   uint // bits of the first look
}

// entry is what a code means. The zero value is that no code begins like this.
type entry struct {
	bits  uint8 // of the whole code
	more  uint8 // extra bits behind it, or the bits of the second look
	kind  entryKind
	value uint16 // an octet, a base to which the extra bits are added, or where the second look's entries begin
}

type entryKind uint8

const (
	isLiteral entryKind = iota
	isBase
	isEnd
	isNothing
	isLink
)

// The numbers of symbols, and what the lengths of codes end at (RFC 1951 §3.2.7).
const (
	literalSymbols  = 288
	distanceSymbols = 32
	lengthSymbols   = 19
	maxCodeBits     = 15
)

var errCode = errors.New("the compressed data has a Huffman code that is none")

// build makes the table for symbols with codes of these lengths, 0 meaning none.
func (c *codes) build(lengths []uint8, meanings []entry, first uint) error {
	var count, next [maxCodeBits + 2]int
	longest, used := uint(0), 0
	for _, n := range lengths {
		if n > 0 {
			count[n]++
			used++
			longest = max(longest, uint(n))
		}
	}
	left := 1
	for n := 1; n <= maxCodeBits; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return errCode
		}
		next[n+1] = (next[n] + count[n]) << 1
	}
	// A code may be incomplete only if it has a single symbol, or none (RFC 1951 §3.2.7).
	if left > 0 && longest > 1 {
		return errCode
	}
	c.first = max(1, min(first, longest))
	c.entries = resized(c.entries, 1<<c.first)
	clear(c.entries)
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		e := meanings[symbol]
		e.bits = n
		c.fill(e, bits.Reverse16(uint16(next[n]))>>(16-n), longest)
		next[n]++
	}
	return nil
}

// fill enters a symbol wherever its code, whose first bit is the lowest, is a beginning of.
func (c *codes) fill(e entry, code uint16, longest uint) {
	if n := uint(e.bits); n <= c.first {
		for i := uint(code); i < 1<<c.first; i += 1 << n {
			c.entries[i] = e
		}
		return
	}
	link := &c.entries[uint(code)&(1<<c.first-1)]
	second := longest - c.first
	if link.kind != isLink {
		*link = entry{bits: 1, more: uint8(second), kind: isLink, value: uint16(len(c.entries))}
	}
	from, rest := uint(link.value), uint(e.bits)-c.first
	if int(from) == len(c.entries) {
		c.entries = append(c.entries, make([]entry, 1<<second)...)
	}
	for i := uint(code) >> c.first; i < 1<<second; i += 1 << rest {
		c.entries[from+i] = e
	}
}

func resized(entries []entry, n int) []entry {
	if cap(entries) < n {
		return make([]entry, n, 2*n)
	}
	return entries[:n]
}

// The meanings of symbols (RFC 1951 §3.2.5): those of a block's literals and lengths, of its distances, and of the lengths of
// codes, which mean themselves.
var (
	literalMeanings  = literals()
	distanceMeanings = bases(distanceSymbols, 0, 2, 1)
	lengthMeanings   = make([]entry, lengthSymbols)
)

func init() {
	for i := range lengthMeanings {
		lengthMeanings[i].value = uint16(i)
	}
}

func literals() []entry {
	var all []entry
	for i := range 256 {
		all = append(all, entry{value: uint16(i)})
	}
	all = append(all, entry{kind: isEnd})
	all = append(all, bases(28, 0, 4, 3)...)
	// The last length breaks the row, and two symbols mean nothing.
	return append(all, entry{kind: isBase, value: 258}, entry{kind: isNothing}, entry{kind: isNothing})
}

// bases returns n symbols that stand for ranges of numbers, 2·step of a single one and then step of each size.
func bases(n, from, step, base int) []entry {
	var all []entry
	for i := from; i < n; i++ {
		more := max(0, i/step-1)
		all = append(all, entry{kind: isBase, more: uint8(more), value: uint16(base)})
		base += 1 << more
	}
	return all
}

// fixedCodes are those of blocks without codes of their own (RFC 1951 §3.2.6).
var fixedCodes = sync.OnceValue(func() (fixed [2]codes) {
	var lengths [literalSymbols]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	var distances [distanceSymbols]uint8
	for i := range distances {
		distances[i] = 5
	}
	if fixed[0].build(lengths[:], literalMeanings, literalLook) != nil || fixed[1].build(distances[:], distanceMeanings, distanceLook) != nil {
		panic("suite: the fixed codes are none")
	}
	return fixed
})
