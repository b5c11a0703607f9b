package frame

import "unicode/utf8"

// UTF8 validates text that arrives in pieces, cut anywhere (§5.6, §8.1). It
// keeps at most the bounds of the next byte, so it costs nothing to hold. The
// zero value is ready for a new message. Not for concurrent use.
type UTF8 struct {
	need   uint8 // continuation bytes still missing
	lo, hi uint8 // bounds of the next one: Unicode 15, table 3-7
}

// shortChunk is the length below which the byte-wise automaton alone is quicker.
const shortChunk = 16

// Write checks p as the next piece of the text. When a byte makes the text
// invalid whatever follows, ok is false and n is that byte's index in p;
// otherwise n is len(p). After a failure only Reset makes v usable again.
func (v *UTF8) Write(p []byte) (n int, ok bool) {
	for v.need > 0 && n < len(p) {
		if !v.next(p[n]) {
			return n, false
		}
		n++
	}
	if len(p)-n > shortChunk {
		if body := wholeRunes(p[n:]); utf8.Valid(body) {
			n += len(body)
		}
	}
	for ; n < len(p); n++ {
		if c := p[n]; c >= utf8.RuneSelf || v.need > 0 {
			if !v.next(c) {
				return n, false
			}
		}
	}
	return n, true
}

// Complete reports whether the text so far ends between two characters.
func (v *UTF8) Complete() bool { return v.need == 0 }

// Reset makes v ready for a new message.
func (v *UTF8) Reset() { *v = UTF8{} }

// next takes one byte through the automaton of well-formed byte sequences.
func (v *UTF8) next(c byte) bool {
	if v.need > 0 {
		if c < v.lo || c > v.hi {
			return false
		}
		v.need--
		v.lo, v.hi = 0x80, 0xbf
		return true
	}
	v.lo, v.hi = 0x80, 0xbf
	switch {
	case c < 0x80:
	case c < 0xc2:
		return false
	case c < 0xe0:
		v.need = 1
	case c < 0xf0:
		v.need = 2
		switch c {
		case 0xe0:
			v.lo = 0xa0 // overlong below
		case 0xed:
			v.hi = 0x9f // surrogates above
		}
	case c < 0xf5:
		v.need = 3
		switch c {
		case 0xf0:
			v.lo = 0x90 // overlong below
		case 0xf4:
			v.hi = 0x8f // beyond U+10FFFF above
		}
	default:
		return false
	}
	return true
}

// wholeRunes cuts a sequence that p leaves unfinished off its end.
func wholeRunes(p []byte) []byte {
	for i := 1; i <= utf8.UTFMax-1 && i <= len(p); i++ {
		if c := p[len(p)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-i:]) {
				return p[:len(p)-i]
			}
			break
		}
	}
	return p
}
