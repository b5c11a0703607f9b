// Package mask masks and unmasks WebSocket payloads (RFC 6455 §5.3), and draws
// masking keys.
//
// For most uses: NewKey once per frame, Copy to mask a payload into the buffer
// that is sent, XOR to unmask one where it was received. Nothing here does I/O,
// and nothing allocates.
//
// On amd64 (SSE2, and AVX2 where the processor has it) and arm64 (NEON) payloads of more than 32 bytes are handled by
// assembly. The build tag purego leaves the assembly out; other architectures have none.
package mask

import (
	"encoding/binary"
	"math/bits"
)

// XOR masks b in place, or unmasks it: the two are the same operation
// (RFC 6455 §5.3). pos is the offset of b[0] within the frame's payload, so
// that a payload can be handled in pieces; only pos modulo 4 matters.
//
// An empty or nil b is allowed. XOR does not allocate, and may be called from
// several goroutines on slices that do not overlap.
func XOR(b []byte, key [4]byte, pos int) {
	transform(b, b, rotate(key, pos))
}

// Copy masks, or unmasks, while it copies from src to dst, and returns the
// number of bytes handled: the smaller of len(dst) and len(src), like copy.
// pos is the offset of src[0] within the frame's payload; only pos modulo 4
// matters. Bytes of dst beyond the returned number are left as they were.
//
// dst and src must begin at the same address or not overlap at all. Copy does
// not allocate, and may be called from several goroutines on slices that do
// not overlap.
func Copy(dst, src []byte, key [4]byte, pos int) int {
	return transform(dst, src, rotate(key, pos))
}

// rotate returns the key as the little-endian word for a payload that begins
// at pos: its lowest byte masks the byte at pos.
func rotate(key [4]byte, pos int) uint32 {
	return bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(pos&3))
}

// transform is Copy with the key already rotated; XOR and Copy are small enough
// to be inlined, so that a short payload costs one call.
//
// From 4 to 32 bytes it takes words from both ends, which overlap in the middle.
// All are loaded before any is stored: in place, no byte may be masked twice.
//
// It does not look whether there is stack: what it calls needs next to none, or looks for itself,
// and one byte would feel it (bench's row 11).
//
//go:nosplit
func transform(dst, src []byte, k uint32) int {
	n := min(len(dst), len(src))
	dst, src = dst[:n:n], src[:n:n] // with the capacity known, slicing is free
	if n < 4 {
		if n == 1 {
			dst[0] = src[0] ^ byte(k)
			return 1
		}
		if n == 0 {
			return 0
		}
		dst[0] = src[0] ^ byte(k)
		dst[1] = src[1] ^ byte(k>>8)
		if n == 3 {
			dst[2] = src[2] ^ byte(k>>16)
		}
		return n
	}
	if n > 32 {
		bulk(dst, src, k)
		return n
	}
	w := uint64(k)<<32 | uint64(k)
	t := bits.RotateLeft64(w, -8*(n&3)) // for words that end at n
	switch {
	case n > 16:
		h0, h1 := load(src)^w, load(src[8:])^w
		t0, t1 := load(src[n-16:])^t, load(src[n-8:])^t
		store(dst, h0)
		store(dst[8:], h1)
		store(dst[n-16:], t0)
		store(dst[n-8:], t1)
	case n >= 8:
		h0, t0 := load(src)^w, load(src[n-8:])^t
		store(dst, h0)
		store(dst[n-8:], t0)
	default:
		h0 := binary.LittleEndian.Uint32(src) ^ k
		t0 := binary.LittleEndian.Uint32(src[n-4:]) ^ uint32(t)
		binary.LittleEndian.PutUint32(dst, h0)
		binary.LittleEndian.PutUint32(dst[n-4:], t0)
	}
	return n
}

func load(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func store(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
