//go:build amd64 && !purego

package mask

import "github.com/seed-c4549abd/wss/internal/cpu"

var useAVX2 = cpu.AVX2 // read by maskBest

// bulk handles more than 32 bytes.
func bulk(dst, src []byte, k uint32) {
	maskBest(&dst[0], &src[0], len(src), k)
}

// maskBest jumps to maskAVX2 or maskSSE2. It chooses in assembly because a
// choice in Go would be too large to be inlined, and cost a second call.
//
//go:noescape
func maskBest(dst, src *byte, n int, k uint32)

// maskAVX2 handles n bytes, at least 32, by vectors of 32 bytes.
//
//go:noescape
func maskAVX2(dst, src *byte, n int, k uint32)

// maskSSE2 handles n bytes, at least 32, by vectors of 16 bytes.
//
//go:noescape
func maskSSE2(dst, src *byte, n int, k uint32)
