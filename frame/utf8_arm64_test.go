//go:build arm64 && !purego

package frame

func assembly() []validator {
	return []validator{{"NEON", minBulk, func(p []byte) int {
		n := bulkNEON(&p[0], len(p))
		return n - unfinished(p[:n])
	}}}
}
