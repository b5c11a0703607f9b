package frame

import (
	"encoding/binary"
	"unicode/utf8"
)

// UTF8 validates text that arrives in pieces, cut anywhere (§5.6, §8.1). It
// keeps at most the bounds of the next byte, so it costs nothing to hold. The
// zero value is ready for a new message. Not for concurrent use.
type UTF8 struct {
	need   uint8 // continuation bytes still missing
	lo, hi uint8 // bounds of the next one: Unicode 15, table 3-7
}

// Write checks p as the next piece of the text. When a byte makes the text
// invalid whatever follows, ok is false and n is that byte's index in p;
// otherwise n is len(p). After a failure only Reset makes v usable again.
func (v *UTF8) Write(p []byte) (n int, ok bool) {
	for ; v.need > 0 && n < len(p); n++ {
		if c := p[n]; c < v.lo || c > v.hi {
			return n, false
		}
		v.need--
		v.lo, v.hi = 0x80, 0xbf
	}
	if shortASCII(p[n:]) {
		return len(p), true
	}
	if len(p)-n >= minBulk {
		n += bulk(p[n:])
	}
	// What is left is short, the beginning of a character, or where the text breaks.
	for n < len(p) {
		for _, c := range p[n:] {
			if c >= utf8.RuneSelf {
				break
			}
			n++
		}
		if n == len(p) {
			break
		}
		need, lo, hi := lead(p[n])
		if need == 0 {
			return n, false
		}
		for n++; need > 0; n++ {
			if n == len(p) {
				v.need, v.lo, v.hi = need, lo, hi
				return n, true
			}
			if c := p[n]; c < lo || c > hi {
				return n, false
			}
			need--
			lo, hi = 0x80, 0xbf
		}
	}
	return n, true
}

// Complete reports whether the text so far ends between two characters.
func (v *UTF8) Complete() bool { return v.need == 0 }

// Reset makes v ready for a new message.
func (v *UTF8) Reset() { *v = UTF8{} }

// lead returns how many continuation bytes follow c, and the bounds of the first
// of them. If no character beyond ASCII begins with c, need is 0.
func lead(c byte) (need, lo, hi uint8) {
	switch {
	case c < 0xc2: // continuations, and what would be overlong
		return 0, 0, 0
	case c < 0xe0:
		return 1, 0x80, 0xbf
	case c == 0xe0:
		return 2, 0xa0, 0xbf // overlong below
	case c == 0xed:
		return 2, 0x80, 0x9f // surrogates above
	case c < 0xf0:
		return 2, 0x80, 0xbf
	case c == 0xf0:
		return 3, 0x90, 0xbf // overlong below
	case c < 0xf4:
		return 3, 0x80, 0xbf
	case c == 0xf4:
		return 3, 0x80, 0x8f // beyond U+10FFFF above
	}
	return 0, 0, 0
}

// shortASCII reports whether p has 16 bytes at most, all ASCII: two words, which
// may overlap, tell.
func shortASCII(p []byte) bool {
	const high = 0x8080808080808080
	switch n := len(p); {
	case n > 16:
		return false
	case n >= 8:
		return (binary.LittleEndian.Uint64(p)|binary.LittleEndian.Uint64(p[n-8:]))&high == 0
	case n >= 4:
		return (binary.LittleEndian.Uint32(p)|binary.LittleEndian.Uint32(p[n-4:]))&(high>>32) == 0
	default:
		return n == 0 || p[0]|p[n/2]|p[n-1] < utf8.RuneSelf
	}
}

// unfinished returns the length, 0 to 3, of the sequence that is cut at the end
// of p. Nothing else is wrong with p, so that the byte that opens a sequence of
// two, three or four tells it by its place alone.
func unfinished(p []byte) int {
	switch n := len(p); {
	case n >= 1 && p[n-1] >= 0xc0:
		return 1
	case n >= 2 && p[n-2] >= 0xe0:
		return 2
	case n >= 3 && p[n-3] >= 0xf0:
		return 3
	}
	return 0
}

// bulkGeneric is bulk without assembly.
func bulkGeneric(p []byte) int {
	n := len(p) - unfinished(p)
	if !utf8.Valid(p[:n]) {
		return 0
	}
	return n
}
