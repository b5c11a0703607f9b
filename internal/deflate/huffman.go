package deflate

import "sync"

// An entry of a decoding table tells what the bits that index it begin with:
//
//	bits 0–3    length of the code, which is what to consume
//	bits 4–7    extra bits behind it, or index bits of a second-level table
//	bits 8–11   kind; none if the code is not in use
//	bits 16–31  literal, base length, base distance, symbol, or place of the
//	            second-level table
type entry = uint32

const (
	codeLength = 0xf
	extraShift = 4
	extraMask  = 0xf
	valueShift = 16

	kindLiteral entry = 1 << 8
	kindMatch   entry = 1 << 9
	kindEnd     entry = 1 << 10
	kindSecond  entry = 1 << 11
)

const (
	maxCode     = 15  // bits of the longest code
	maxLiterals = 286 // RFC 1951 §3.2.7
	maxDistance = 30
	numLengths  = 19 // of the code length alphabet

	// Index bits of the first level, and room for both levels of any complete
	// code of that many symbols (zlib's "enough" computes these).
	literalBits  = 10
	literalRoom  = 1334
	distanceBits = 8
	distanceRoom = 402
	lengthsBits  = 7
)

// The meaning of each symbol, without the length of its code. Literal/length
// 286 and 287 and distance 30 and 31 take part in the fixed codes, but mean
// nothing (RFC 1951 §3.2.5, §3.2.6).
var (
	literalSymbols  [288]entry
	distanceSymbols [32]entry
	lengthsSymbols  [numLengths]entry
)

func init() {
	for i := range 256 {
		literalSymbols[i] = kindLiteral | entry(i)<<valueShift
	}
	literalSymbols[256] = kindEnd
	for i, base := 0, entry(3); i < 28; i++ {
		extra := entry(max(0, i/4-1))
		literalSymbols[257+i] = kindMatch | extra<<extraShift | base<<valueShift
		base += 1 << extra
	}
	literalSymbols[285] = kindMatch | 258<<valueShift
	for i, base := 0, entry(1); i < maxDistance; i++ {
		extra := entry(max(0, i/2-1))
		distanceSymbols[i] = kindMatch | extra<<extraShift | base<<valueShift
		base += 1 << extra
	}
	for i := range lengthsSymbols {
		lengthsSymbols[i] = kindLiteral | entry(i)<<valueShift
	}
}

// table decodes one Huffman code. Its first level is indexed by the next bits of
// input; codes longer than that go on in a second level behind it.
type table struct {
	bits    uint
	entries []entry
}

// find returns the entry for the code that hold begins with, low bits first.
func (t *table) find(hold uint64) entry {
	e := t.entries[hold&(1<<(t.bits&63)-1)]
	if e&kindSecond != 0 {
		at := uint64(e>>valueShift) + hold>>(t.bits&63)&(1<<(e>>extraShift&extraMask)-1)
		e = t.entries[at]
	}
	return e
}

// build makes the table for the code lengths of a canonical code (RFC 1951
// §3.2.2) in room, with first levels of up to root bits. It reports false if the
// code is over-subscribed or incomplete; what zlib lets pass of the latter passes:
// no code at all, and a single one of length 1.
func (t *table) build(room []entry, root uint, lengths []uint8, symbols []entry) bool {
	var count [maxCode + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	longest := uint(maxCode)
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	if longest == 0 {
		room[0] = 0
		*t = table{entries: room[:1]}
		return true
	}
	var next [maxCode + 2]int // where the symbols of each length begin in order
	used := 0
	for n := 1; n <= maxCode; n++ {
		used += count[n] << (maxCode - n)
		next[n+1] = next[n] + count[n]
	}
	if used != 1<<maxCode && (longest != 1 || count[1] != 1) {
		return false
	}
	var order [288]uint16
	for s, n := range lengths {
		if n != 0 {
			order[next[n]] = uint16(s)
			next[n]++
		}
	}
	t.bits = min(root, longest)
	t.entries = room
	if used != 1<<maxCode {
		room[1] = 0 // the code that is missing
	}
	t.fill(order[:next[maxCode]], lengths, symbols, &count, longest)
	return true
}

// fill enters the symbols, which are in the order of their codes.
func (t *table) fill(order []uint16, lengths []uint8, symbols []entry, count *[maxCode + 1]int, longest uint) {
	room, root := t.entries, t.bits
	rootMask := 1<<root - 1
	level, drop, size := room, uint(0), 1<<root // the table being filled
	free, prefix := 1<<root, -1
	code := 0 // bit-reversed, as it appears in the input
	for _, s := range order {
		n := uint(lengths[s])
		if n > root && code&rootMask != prefix {
			prefix = code & rootMask
			bits := n - root
			left := 1 << bits
			for bits+root < longest {
				if left -= count[bits+root]; left <= 0 {
					break
				}
				bits++
				left <<= 1
			}
			level, drop, size = room[free:], root, 1<<bits
			room[prefix] = kindSecond | entry(bits)<<extraShift | entry(free)<<valueShift
			free += size
		}
		e := symbols[s] | entry(n)
		for i := code >> drop; i < size; i += 1 << (n - drop) {
			level[i] = e
		}
		bit := 1 << (n - 1)
		for code&bit != 0 {
			bit >>= 1
		}
		code = code&(bit-1) + bit
		if bit == 0 {
			code = 0
		}
		count[n]--
	}
}

// fixed returns the tables of BTYPE=01 (RFC 1951 §3.2.6).
var fixed = sync.OnceValue(func() *[2]table {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	var five [32]uint8
	for i := range five {
		five[i] = 5
	}
	var tables [2]table
	tables[0].build(make([]entry, 1<<9), 9, lengths[:], literalSymbols[:])
	tables[1].build(make([]entry, 1<<5), 5, five[:], distanceSymbols[:])
	return &tables
})
