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
			maskAVX2(&dst[0], &src[0], len(src), k)
		}})
	}
	return list
}

// A processor without AVX2 must never reach such an instruction. What can be seen here is that either way of the choice
// gives the right bytes.
func TestBulkWithAndWithoutAVX2(t *testing.T) {
	defer func(was bool) { useAVX2 = was }(useAVX2)
	content, key := noise(1000), [4]byte{1, 2, 3, 4}
	want := definition(content, key, 0)
	for _, use := range []bool{false, cpu.AVX2} {
		useAVX2 = use
		got := make([]byte, len(content))
		bulk(got, content, rotate(key, 0))
		if !bytes.Equal(got, want) {
			t.Errorf("AVX2 %v: differs from the definition", use)
		}
	}
}
