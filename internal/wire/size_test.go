package wire

import (
	"testing"
	"unsafe"
)

// TestAConnectionFitsItsSizeClass: the next one of Go's allocator has 352 bytes.
func TestAConnectionFitsItsSizeClass(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the sizes are those of 64-bit machines")
	}
	if n := unsafe.Sizeof(Conn{}); n > 320 {
		t.Errorf("%d bytes, want 320 at most", n)
	}
}
