//go:build (amd64 || arm64) && !purego

package frame

import (
	"testing"
	"unicode/utf8"
)

// The tables against the definition: the pairs that occur within a character,
// and between two.
func TestLookupTellsEveryPairThatMayOccur(t *testing.T) {
	var occurs [256][256]bool
	isLead := func(c int) bool { return c >= 0xc0 } // wrong ones show in the pair that follows
	for a := range 256 {
		for b := range 256 {
			occurs[a][b] = !isLead(a) && (b < 0x80 || isLead(b))
		}
	}
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		if p := utf8.AppendRune(nil, r); utf8.ValidRune(r) {
			for i, c := range p[1:] {
				occurs[p[i]][c] = true
			}
		}
	}
	for a := range 256 {
		for b := range 256 {
			got := lookup[0][a>>4] & lookup[1][a&15] & lookup[2][b>>4]
			two := a>>6 == 2 && b>>6 == 2
			if occurs[a][b] != (got&^twoContinuations == 0) || two != (got&twoContinuations != 0) {
				t.Errorf("%x %x: patterns %08b", a, b, got)
			}
		}
	}
}

// claims reports whether a validator takes more of a text than ends with a
// sequence, for which it must be right.
func (e embedding) claims(val validator) bool { return val.bulk(e.text) > e.at+len(e.gap) }

func TestAssemblyAgreesOnEveryThreeBytes(t *testing.T) {
	for _, val := range assembly() {
		for a := range 256 {
			for b := range 256 {
				e := embed(paddings[(a+b)%len(paddings)], (7*a+b)%132, 3, 19+b%70)
				s := e.gap
				for c := range 256 {
					s[0], s[1], s[2] = byte(a), byte(b), byte(c)
					if got := e.claims(val); got != utf8.Valid(s) {
						t.Fatalf("%s: % x at %d of %d: %v", val.name, s, e.at, len(e.text), got)
					}
				}
			}
		}
	}
}

func TestAssemblyAgreesOnEveryTwoBytesAtEveryOffset(t *testing.T) {
	for _, val := range assembly() {
		for offset := range 132 {
			e := embed(paddings[offset%len(paddings)], offset, 2, 19+offset%70)
			s := e.gap
			for pair := range 1 << 16 {
				s[0], s[1] = byte(pair>>8), byte(pair)
				if got := e.claims(val); got != utf8.Valid(s) {
					t.Fatalf("%s: % x at %d of %d: %v", val.name, s, e.at, len(e.text), got)
				}
			}
		}
	}
}
