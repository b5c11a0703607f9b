//go:build arm64 && !purego

package mask

// bulk handles more than 32 bytes. Every arm64 processor has NEON.
func bulk(dst, src []byte, k uint32) {
	maskNEON(&dst[0], &src[0], len(src), k)
}

// maskNEON handles n bytes, at least 32, by vectors of 16 bytes.
//
//go:noescape
func maskNEON(dst, src *byte, n int, k uint32)
