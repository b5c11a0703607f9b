//go:build purego || !(amd64 || arm64)

package frame

// minBulk is the length below which the byte-wise automaton alone is quicker.
const minBulk = 17

// bulk returns the length of whole characters at the beginning of p, up to where
// the text breaks or somewhat before that. p, of minBulk bytes or more, begins
// between two characters.
func bulk(p []byte) int { return bulkGeneric(p) }
