package conn

import (
	"testing"
	"unsafe"
)

// TestAConnectionFitsItsSizeClass: the next one of Go's allocator has 1,024 bytes, and 8
// of each are the allocator's own.
func TestAConnectionFitsItsSizeClass(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the sizes are those of 64-bit machines")
	}
	if n := unsafe.Sizeof(Conn{}) + 8; n > 896 {
		t.Errorf("%d bytes, want 896 at most", n)
	}
}
