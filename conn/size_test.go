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

// TestWhatAMessageNeedsLiesTogether: in as few lines of the cache as it fits into.
func TestWhatAMessageNeedsLiesTogether(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the sizes are those of 64-bit machines")
	}
	const line = 64
	var c Conn
	at := func(n uintptr) uintptr { return n + 8 } // the allocator's word comes first
	for _, part := range []struct {
		name       string
		begin, end uintptr
		lines      uintptr
	}{
		{"what every call looks at", 0, unsafe.Offsetof(c.role), 1},
		{"sending", unsafe.Offsetof(c.role), unsafe.Offsetof(c.out) + unsafe.Offsetof(c.out.following) + unsafe.Offsetof(c.out.following.crowd), 3},
		{"hearing", unsafe.Offsetof(c.num), unsafe.Offsetof(c.liv) + unsafe.Offsetof(c.liv.silent), 1},
		{"receiving", unsafe.Offsetof(c.in), unsafe.Offsetof(c.in) + unsafe.Offsetof(c.in.tok) + unsafe.Sizeof(c.in.tok.state), 3},
	} {
		if n := (at(part.end)-1)/line - at(part.begin)/line + 1; n != part.lines {
			t.Errorf("%s: bytes %d to %d lie in %d lines, want %d", part.name, part.begin, part.end, n, part.lines)
		}
	}
}
