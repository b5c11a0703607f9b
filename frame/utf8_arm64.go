//go:build arm64 && !purego

package frame

// minBulk is the least that bulkNEON takes.
const minBulk = 16

// bulk returns the length of whole characters at the beginning of p, up to where
// the text breaks or somewhat before that. p, of minBulk bytes or more, begins
// between two characters.
//
// Every arm64 processor has NEON.
func bulk(p []byte) int {
	p = p[:bulkNEON(&p[0], len(p))]
	return len(p) - unfinished(p)
}

// bulkNEON is bulk by vectors of 16 bytes, but may cut the last character.
//
//go:noescape
func bulkNEON(p *byte, n int) int
