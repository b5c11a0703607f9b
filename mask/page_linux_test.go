package mask

import (
	"bytes"
	"syscall"
	"testing"
)

// page returns memory between two pieces of the same size that nobody may touch.
func page(t *testing.T, size int) []byte {
	t.Helper()
	m, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(m) })
	b := m[size : 2*size : 2*size]
	if err := syscall.Mprotect(b, syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNothingBesideIsTouched: not even read. What lies before and behind ends the process.
func TestNothingBesideIsTouched(t *testing.T) {
	const size = 64 << 10 // a multiple of every machine's page
	src, dst := page(t, size), page(t, size)
	key := [4]byte{9, 7, 5, 3}
	for _, im := range implementations() {
		for n := im.min; n < im.min+300; n++ {
			content, k := noise(n), rotate(key, n)
			want := definition(content, key, n)
			for shift := range 64 {
				if n+shift > size {
					continue
				}
				for _, at := range [][2]int{ // where src and dst begin
					{0, shift}, {shift, 0}, {size - n, shift}, {shift, size - n},
					{size - n, size - n - shift}, {size - n - shift, size - n},
				} {
					s, d := src[at[0]:][:n], dst[at[1]:][:n]
					copy(s, content)
					if im.do(d, s, k); !bytes.Equal(d, want) {
						t.Fatalf("%s: copy of %d bytes at %v: differs from the definition", im.name, n, at)
					}
					if im.do(s, s, k); !bytes.Equal(s, want) {
						t.Fatalf("%s: %d bytes in place at %d: differs from the definition", im.name, n, at[0])
					}
				}
			}
		}
	}
}
