//go:build linux || darwin

package frame

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// guarded returns memory that ends, and begins, where the process may not read.
func guarded(t *testing.T) []byte {
	t.Helper()
	page := os.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(m) })
	for _, guard := range [][]byte{m[:page], m[2*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return m[page : 2*page : 2*page]
}

// A byte read beyond either end ends the test binary with a fault.
func TestNothingIsReadBeyondTheSlice(t *testing.T) {
	m := guarded(t)
	for _, padding := range append(paddings, "\xff", "\xe0\x80", strings.Repeat("a", 70)+"é", strings.Repeat("é", 35)+strings.Repeat("a", 130)) {
		text := strings.Repeat(padding, 500/len(padding)+1)
		for n := range 500 {
			for _, p := range [][]byte{m[:n:n], m[len(m)-n:]} {
				copy(p, text)
				var u UTF8
				u.Write(p)
				for _, val := range validators() {
					val.write(p)
				}
			}
		}
	}
}
