//go:build arm64 && !purego

package frame

// minBulk is the least that bulkNEON takes.
const minBulk = 16

// Every arm64 processor has NEON.
func vectors() bool { return true }

func bulkVectors(p *byte, n int) int { return bulkNEON(p, n) }

// bulkNEON is bulkGeneric by vectors of 16 bytes, but may cut the last character. n is
// minBulk or more.
//
//go:noescape
func bulkNEON(p *byte, n int) int
