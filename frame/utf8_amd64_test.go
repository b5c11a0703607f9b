//go:build amd64 && !purego

package frame

import (
	"testing"

	"github.com/seed-c4549abd/wss/internal/cpu"
)

func assembly() []validator {
	if !cpu.AVX2 {
		return nil
	}
	return []validator{{"AVX2", minBulk, func(p []byte) int {
		n := bulkAVX2(&p[0], len(p))
		return n - unfinished(p[:n])
	}}}
}

// A processor without AVX2 must never reach an AVX2 instruction. What can be
// seen here is that both ways of the choice find what is wrong.
func TestBulkWithAndWithoutAVX2(t *testing.T) {
	defer func(was bool) { useAVX2 = was }(useAVX2)
	for _, use := range []bool{false, cpu.AVX2} {
		useAVX2 = use
		var u UTF8
		p := []byte("съешь ещё этих мягких французских булок, да выпей чаю")
		if n, ok := u.Write(p); n != len(p) || !ok || !u.Complete() {
			t.Errorf("useAVX2 = %v: stopped at %d of %d", use, n, len(p))
		}
		p[77] = 'a'
		if n, ok := u.Write(p); n != firstOffender(p) || ok {
			t.Errorf("useAVX2 = %v: stopped at %d, want %d", use, n, firstOffender(p))
		}
	}
}
