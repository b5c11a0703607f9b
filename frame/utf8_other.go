//go:build purego || !(amd64 || arm64)

package frame

// minBulk is the length below which the byte-wise automaton alone is quicker.
const minBulk = 17

func vectors() bool { return false }

func bulkVectors(*byte, int) int { return 0 }
