package frame

import (
	"encoding/binary"
	"unicode/utf8"
)

// UTF8 validates text that arrives in pieces, cut anywhere (§5.6, §8.1). It
// keeps at most the bounds of the next byte, so it costs nothing to hold. The
// zero value is ready for a new message. Not for concurrent use.
type UTF8 struct {
	need sequence // what is still missing
}

// sequence is what has to follow: need continuation bytes, of which the first is bound
// by lo and hi, both included (Unicode 15, table 3-7). The zero value: nothing.
type sequence struct{ need, lo, hi uint8 }

// next takes a byte of the sequence; ok is false if it does not belong there.
func (s sequence) next(c byte) (_ sequence, ok bool) {
	return sequence{s.need - 1, 0x80, 0xbf}, c-s.lo <= s.hi-s.lo
}

// rest takes what p begins with of the sequence, as Write does.
func (s *sequence) rest(p []byte) (n int, ok bool) {
	for ; s.need > 0 && n < len(p); n++ {
		if *s, ok = s.next(p[n]); !ok {
			return n, false
		}
	}
	return n, true
}

// Write checks p as the next piece of the text. When a byte makes the text
// invalid whatever follows, ok is false and n is that byte's index in p;
// otherwise n is len(p). After a failure only Reset makes v usable again.
func (v *UTF8) Write(p []byte) (n int, ok bool) {
	if s := v.need; s.need > 0 {
		if k := s.need; len(p) >= 3 && p[0]-s.lo <= s.hi-s.lo &&
			(k < 2 || p[1]&0xc0 == 0x80) && (k < 3 || p[2]&0xc0 == 0x80) {
			v.need, n = sequence{}, int(k) // the character is complete and valid
		} else if n, ok = v.need.rest(p); !ok {
			return n, false
		}
	}
	if shortASCII(p[n:]) {
		return len(p), true
	}
	if rest := p[n:]; len(rest) >= minBulk {
		if vectors() {
			rest = rest[:bulkVectors(&rest[0], len(rest))]
			k := unfinished(rest)
			if n += len(rest); n == len(p) {
				return v.cut(p, k)
			}
			n -= k
		} else {
			n += bulkGeneric(rest)
		}
	}
	// The rest is short, begins a character, or is where the text is invalid.
	for n < len(p) {
		c := p[n]
		if c < utf8.RuneSelf {
			n++
			continue
		}
		need := leads[c-utf8.RuneSelf]
		if need.need == 0 {
			return n, false
		}
		for n++; need.need > 0; n++ {
			if n == len(p) {
				v.need = need
				return n, true
			}
			if need, ok = need.next(p[n]); !ok {
				return n, false
			}
		}
	}
	return n, true
}

// cut ends a piece that ends with k bytes of a character, which were looked at together; a single byte was not. It is Write
// without going through them once more.
func (v *UTF8) cut(p []byte, k int) (n int, ok bool) {
	if k == 0 {
		return len(p), true
	}
	need := leads[p[len(p)-k]&0x7f]
	if need.need == 0 {
		return len(p) - k, false
	}
	if k > 1 {
		need = sequence{need.need - uint8(k-1), 0x80, 0xbf}
	}
	v.need = need
	return len(p), true
}

// Complete reports whether the text so far ends between two characters.
func (v *UTF8) Complete() bool { return v.need.need == 0 }

// Reset makes v ready for a new message.
func (v *UTF8) Reset() { *v = UTF8{} }

// leads holds what follows each byte from 0x80 on, if a character begins with it; nothing
// follows continuations, and what would be overlong or beyond U+10FFFF.
var leads = func() (leads [0x80]sequence) {
	for c := 0xc2; c <= 0xf4; c++ {
		switch {
		case c < 0xe0:
			leads[c-0x80] = sequence{1, 0x80, 0xbf}
		case c < 0xf0:
			leads[c-0x80] = sequence{2, 0x80, 0xbf}
		default:
			leads[c-0x80] = sequence{3, 0x80, 0xbf}
		}
	}
	leads[0xe0-0x80].lo = 0xa0 // overlong below
	leads[0xed-0x80].hi = 0x9f // surrogates above
	leads[0xf0-0x80].lo = 0x90 // overlong below
	leads[0xf4-0x80].hi = 0x8f // beyond U+10FFFF above
	return leads
}()

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

// bulkGeneric returns the length of whole characters at the beginning of p, up to where
// the text breaks or somewhat before that. p begins between two characters. The assembly
// does the same, but may cut the last character.
func bulkGeneric(p []byte) int {
	n := len(p) - unfinished(p)
	if !utf8.Valid(p[:n]) {
		return 0
	}
	return n
}
