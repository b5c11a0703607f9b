package micro

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/gobwas/ws"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/mask"
)

// maskSizes are from 1 B to 1 MiB, with those around which implementations change.
var maskSizes = []int{
	1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 24, 31, 32, 48, 63, 64, 65, 100, 128, 200, 256, 512,
	1 << 10, 2 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20,
}

// SizeName writes a size as the tables do.
func SizeName(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// FromKiB are the groups in which masking is to be as fast as copying.
func FromKiB() []string {
	var all []string
	for _, n := range maskSizes {
		if n >= 1<<10 {
			all = append(all, SizeName(n))
		}
	}
	return all
}

// MaskGroups are the groups of MaskCases in their order.
func MaskGroups() []string {
	var all []string
	for _, n := range maskSizes {
		all = append(all, SizeName(n))
	}
	return all
}

// places is how many pieces of memory take turns, if they are short. A processor that has just
// stored bytes in two steps that overlap is slow to load them again in one, and nobody masks
// the same bytes twice in a row.
const places = 16

// turns is the memory of a case: payloads of one size, and where they are copied to.
type turns struct{ from, to [places][]byte }

// MaskCases are all sizes at every position of the key, in memory that is aligned and in
// memory that is not. wss and gobwas mask in place; XORBytes does with a key that was
// expanded to the payload's size beforehand; wss-copy masks while it copies, beside
// memmove, which only copies; touch is what caches cost at the least where they are what
// bounds masking in place.
func MaskCases() []Case {
	const most = 1<<20 + 64
	src, dst, expanded := make([]byte, most), make([]byte, most), make([]byte, most)
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for i := range expanded {
		expanded[i] = key[i%4]
	}
	var cases []Case
	for _, size := range maskSizes {
		for _, shift := range []int{0, 1} {
			m := &turns{}
			for i := range places {
				at := shift
				if size <= 4<<10 {
					at += i * (size + 64) &^ 63
				}
				m.from[i], m.to[i] = src[at:at+size], dst[at:at+size]
			}
			for pos := range 4 {
				cases = append(cases, maskCase(m, expanded[pos:pos+size], key, pos, shift))
			}
		}
	}
	return cases
}

func maskCase(m *turns, expanded []byte, key [4]byte, pos, shift int) Case {
	return Case{
		Group: SizeName(len(expanded)), Name: fmt.Sprintf("position %d, address %d", pos, shift), Bytes: len(expanded),
		Funcs: []Func{
			{"wss", libs.Ours, func(n int) {
				for i := range n {
					mask.XOR(m.from[i%places], key, pos)
				}
			}},
			{"wss-copy", libs.Ours, func(n int) {
				for i := range n {
					mask.Copy(m.to[i%places], m.from[i%places], key, pos)
				}
			}},
			{"gobwas", libs.Peer, func(n int) {
				for i := range n {
					ws.Cipher(m.from[i%places], key, pos)
				}
			}},
			{"subtle.XORBytes", libs.Peer, func(n int) {
				for i := range n {
					subtle.XORBytes(m.from[i%places], m.from[i%places], expanded)
				}
			}},
			{"memmove", libs.Baseline, func(n int) {
				for i := range n {
					copy(m.to[i%places], m.from[i%places])
				}
			}},
			{"touch", libs.Baseline, func(n int) {
				for i := range n {
					touch(m.from[i%places])
				}
			}},
		},
	}
}

// touch changes one word of each line of a cache.
func touch(p []byte) {
	for i := 0; i+64 <= len(p); i += 64 {
		word := p[i : i+8]
		binary.NativeEndian.PutUint64(word, binary.NativeEndian.Uint64(word)^1)
	}
}
