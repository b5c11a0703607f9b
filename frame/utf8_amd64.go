//go:build amd64 && !purego

package frame

import "github.com/seed-c4549abd/wss/internal/cpu"

var useAVX2 = cpu.AVX2

// minBulk is the least that bulkAVX2 takes.
const minBulk = 9

// bulk returns the length of whole characters at the beginning of p, up to where
// the text breaks or somewhat before that. p, of minBulk bytes or more, begins
// between two characters.
func bulk(p []byte) int {
	if useAVX2 {
		p = p[:bulkAVX2(&p[0], len(p))]
		return len(p) - unfinished(p)
	}
	return bulkGeneric(p)
}

// bulkAVX2 is bulk by vectors of 32 bytes, but may cut the last character.
//
//go:noescape
func bulkAVX2(p *byte, n int) int
