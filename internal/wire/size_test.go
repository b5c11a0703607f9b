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

// TestWhatAMessageNeedsLiesTogether in three lines of the cache, and the size class is a
// multiple of theirs, so that each object begins with one.
func TestWhatAMessageNeedsLiesTogether(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the sizes are those of 64-bit machines")
	}
	var c Conn
	if n := unsafe.Offsetof(c.mu); n > 3*64 {
		t.Errorf("%d bytes, want three lines of 64", n)
	}
	if n := unsafe.Sizeof(c); n <= 288 {
		t.Errorf("%d bytes, whose size class has 288", n)
	}
}
