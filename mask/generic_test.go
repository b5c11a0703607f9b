package mask

import (
	"bytes"
	"testing"
)

// generic ends with words that overlap its loop: every remainder of the loop's
// stride of 64 and of the half step of 32 meets them differently.
func TestGenericAtEveryRemainder(t *testing.T) {
	content, key := noise(32+64+64), [4]byte{0x10, 0x20, 0x40, 0x80}
	for n := 32; n <= len(content); n++ {
		got := bytes.Clone(content[:n])
		generic(got, got, rotate(key, 0))
		if want := definition(content[:n], key, 0); !bytes.Equal(got, want) {
			t.Fatalf("length %d: got %x, want %x", n, got, want)
		}
	}
}
