//go:build amd64 && !purego

package mask

import (
	"bytes"
	"testing"

	"github.com/seed-c4549abd/wss/internal/cpu"
)

func assembly() []implementation {
	list := []implementation{{"SSE2", 32, func(dst, src []byte, k uint32) {
		maskSSE2(&dst[0], &src[0], len(src), k)
	}}}
	if cpu.AVX2 {
		list = append(list, implementation{"AVX2", 32, func(dst, src []byte, k uint32) {
			defer func(was bool) { useAVX512 = was }(useAVX512)
			useAVX512 = false
			maskAVX2(&dst[0], &src[0], len(src), k)
		}})
	}
	if cpu.AVX512 {
		list = append(list, implementation{"AVX512", 320, func(dst, src []byte, k uint32) {
			maskAVX512(&dst[0], &src[0], len(src), k)
		}})
	}
	return list
}

// A processor without AVX2 or AVX-512 must never reach such an instruction. What can be
// seen here is that every way of the choice gives the right bytes.
func TestBulkWithAndWithoutVectors(t *testing.T) {
	defer func(was2, was512 bool) { useAVX2, useAVX512 = was2, was512 }(useAVX2, useAVX512)
	content, key := noise(1000), [4]byte{1, 2, 3, 4}
	want := definition(content, key, 0)
	for _, use := range [][2]bool{{false, false}, {cpu.AVX2, false}, {cpu.AVX2, cpu.AVX512}} {
		useAVX2, useAVX512 = use[0], use[1]
		got := make([]byte, len(content))
		bulk(got, content, rotate(key, 0))
		if !bytes.Equal(got, want) {
			t.Errorf("AVX2 %v, AVX-512 %v: differs from the definition", use[0], use[1])
		}
	}
}
