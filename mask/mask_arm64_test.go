//go:build arm64 && !purego

package mask

func assembly() []implementation {
	return []implementation{{"NEON", 32, func(dst, src []byte, k uint32) {
		maskNEON(&dst[0], &src[0], len(src), k)
	}}}
}
