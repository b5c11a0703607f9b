//go:build purego || !(amd64 || arm64)

package mask

// bulk handles more than 32 bytes.
func bulk(dst, src []byte, k uint32) {
	generic(dst, src, k)
}
