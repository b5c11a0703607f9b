package mask

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"unsafe"
)

// An implementation is one way to transform slices of min bytes or more, of
// equal length, with a key that is already rotated.
type implementation struct {
	name string
	min  int
	do   func(dst, src []byte, k uint32)
}

// implementations lists what can run on this machine. What is particular to an
// architecture stands in the test file of that architecture.
func implementations() []implementation {
	return append([]implementation{
		{"transform", 0, func(dst, src []byte, k uint32) { transform(dst, src, k) }},
		{"generic", 32, generic},
	}, assembly()...)
}

// definition is RFC 6455 §5.3 as it is written: octet i of the transformed data
// is octet i of the original XOR octet i modulo 4 of the key.
func definition(b []byte, key [4]byte, pos int) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ key[(pos%4+i)%4]
	}
	return out
}

// noise returns n bytes in which no small period repeats.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{64, 55}).Read(b)
	return b
}

const (
	canary = 0xA5
	fence  = 320 // bytes on either side: more than any implementation's stride
)

var fenceBytes = bytes.Repeat([]byte{canary}, fence)

// arena is memory that begins at a multiple of 64 and is full of canaries.
type arena []byte

func newArena(n int) arena {
	a := bytes.Repeat([]byte{canary}, n+2*fence+128)
	return a[-uintptr(unsafe.Pointer(&a[0]))%64:]
}

// place puts content between fences, its first byte at align modulo 64.
func (a arena) place(content []byte, align int) []byte {
	b := a[fence+align:][:len(content):len(content)]
	copy(b, content)
	return b
}

// check says what is wrong with what place returned, and clears it away.
func (a arena) check(want []byte, align int) error {
	b := a[fence+align:][:len(want)]
	before, after := a[align:][:fence], a[fence+align+len(want):][:fence]
	switch {
	case !bytes.Equal(b, want):
		return fmt.Errorf("got %x, want %x", b, want)
	case !bytes.Equal(before, fenceBytes):
		return fmt.Errorf("bytes before the slice changed: %x", before)
	case !bytes.Equal(after, fenceBytes):
		return fmt.Errorf("bytes after the slice changed: %x", after)
	}
	for i := range b {
		b[i] = canary
	}
	return nil
}

func TestEveryImplementationAtEveryLengthAndAlignment(t *testing.T) {
	const span = 512 // from the shortest on
	const longest = 2 * (span + 1)
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	content := noise(longest)
	dst, src := newArena(longest), newArena(longest)
	for _, im := range implementations() {
		t.Run(im.name, func(t *testing.T) {
			for n := im.min; n <= im.min+span; n++ {
				for align := range 64 {
					pos, srcAlign := n+align, (7*align+n)%64
					want, k := definition(content[:n], key, pos), rotate(key, pos)

					b := dst.place(content[:n], align)
					im.do(b, b, k)
					if err := dst.check(want, align); err != nil {
						t.Fatalf("in place, length %d, alignment %d: %v", n, align, err)
					}

					s := src.place(content[:n], srcAlign)
					im.do(dst.place(make([]byte, n), align), s, k)
					if err := dst.check(want, align); err != nil {
						t.Fatalf("copy, length %d, alignments %d and %d: %v", n, align, srcAlign, err)
					}
					if err := src.check(content[:n], srcAlign); err != nil {
						t.Fatalf("source of copy, length %d, alignment %d: %v", n, srcAlign, err)
					}
				}
			}
		})
	}
}

// TestEveryImplementationWhereItChanges: at the sizes beside those from which on it works
// otherwise.
func TestEveryImplementationWhereItChanges(t *testing.T) {
	const longest = 24<<10 + 600
	key := [4]byte{0x11, 0x80, 0xfe, 0x2c}
	content := noise(longest)
	a := newArena(longest)
	for _, im := range implementations() {
		for _, near := range []int{1 << 10, 2 << 10, 4 << 10, 16 << 10, 24 << 10} {
			for _, n := range []int{near - 1, near, near + 1, near + 63, near + 64, near + 255, near + 320, near + 511} {
				for _, align := range []int{0, 1, 31, 32, 63} {
					want, k := definition(content[:n], key, n), rotate(key, n)
					b := a.place(content[:n], align)
					im.do(b, b, k)
					if err := a.check(want, align); err != nil {
						t.Fatalf("%s in place, length %d, alignment %d: %v", im.name, n, align, err)
					}
					im.do(a.place(make([]byte, n), align), content[:n], k)
					if err := a.check(want, align); err != nil {
						t.Fatalf("%s copy, length %d, alignment %d: %v", im.name, n, align, err)
					}
				}
			}
		}
	}
}

func TestEveryImplementationOfALargePayload(t *testing.T) {
	content := noise(1<<20 + 13)
	key := [4]byte{1, 2, 4, 8}
	want := definition(content, key, 3)
	for _, im := range implementations() {
		t.Run(im.name, func(t *testing.T) {
			got := bytes.Clone(content)
			im.do(got, got, rotate(key, 3))
			if !bytes.Equal(got, want) {
				t.Error("in place: differs from the definition")
			}
			clear(got)
			im.do(got, content, rotate(key, 3))
			if !bytes.Equal(got, want) {
				t.Error("copy: differs from the definition")
			}
		})
	}
}

func TestXORAndCopyAtEveryOffset(t *testing.T) {
	const longest = 140 // both sides of every case of transform
	key := [4]byte{0xff, 0x0f, 0x80, 0x01}
	content := noise(longest)
	a := newArena(longest)
	for n := range longest + 1 {
		for _, pos := range []int{0, 1, 2, 3, 4, 5, 6, 7, 125, 1<<31 - 1} {
			for align := range 9 {
				want := definition(content[:n], key, pos)
				XOR(a.place(content[:n], align), key, pos)
				if err := a.check(want, align); err != nil {
					t.Fatalf("XOR, length %d, offset %d, alignment %d: %v", n, pos, align, err)
				}
				if got := Copy(a.place(make([]byte, n), align), content[:n], key, pos); got != n {
					t.Fatalf("Copy returned %d, want %d", got, n)
				}
				if err := a.check(want, align); err != nil {
					t.Fatalf("Copy, length %d, offset %d, alignment %d: %v", n, pos, align, err)
				}
			}
		}
	}
}

func TestRFCExampleOfAMaskedHello(t *testing.T) {
	b := []byte{0x7f, 0x9f, 0x4d, 0x51, 0x58} // RFC 6455 §5.7
	XOR(b, [4]byte{0x37, 0xfa, 0x21, 0x3d}, 0)
	if string(b) != "Hello" {
		t.Errorf("unmasked %q, want %q", b, "Hello")
	}
}

func TestCopyStopsAtTheShorterSlice(t *testing.T) {
	content, key := noise(300), [4]byte{9, 8, 7, 6}
	for _, tt := range []struct{ dst, src, want int }{
		{0, 0, 0}, {0, 9, 0}, {9, 0, 0}, {3, 2, 2}, {2, 3, 2}, {70, 64, 64}, {64, 70, 64}, {300, 299, 299}, {299, 300, 299},
	} {
		dst := bytes.Repeat([]byte{canary}, tt.dst)
		if got := Copy(dst, content[:tt.src], key, 1); got != tt.want {
			t.Errorf("Copy(%d bytes, %d bytes) = %d, want %d", tt.dst, tt.src, got, tt.want)
		}
		want := append(definition(content[:tt.want], key, 1), bytes.Repeat([]byte{canary}, tt.dst-tt.want)...)
		if !bytes.Equal(dst, want) {
			t.Errorf("Copy(%d bytes, %d bytes) wrote %x, want %x", tt.dst, tt.src, dst, want)
		}
	}
}

func TestNilAndEmptyAreAllowed(t *testing.T) {
	XOR(nil, [4]byte{1, 2, 3, 4}, 0)
	XOR([]byte{}, [4]byte{1, 2, 3, 4}, 3)
	if n := Copy(nil, nil, [4]byte{1, 2, 3, 4}, 0); n != 0 {
		t.Errorf("Copy(nil, nil) = %d, want 0", n)
	}
}

func TestPiecesEqualTheWhole(t *testing.T) {
	content, key := noise(400), [4]byte{0xde, 0xad, 0xbe, 0xef}
	want := definition(content, key, 2)
	for cut := range len(content) + 1 {
		got := bytes.Clone(content)
		XOR(got[:cut], key, 2)
		XOR(got[cut:], key, 2+cut)
		if !bytes.Equal(got, want) {
			t.Fatalf("cut at %d: got %x, want %x", cut, got, want)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	b, dst, key := noise(2048), make([]byte, 2048), [4]byte{1, 2, 3, 4}
	for _, n := range []int{0, 3, 7, 64, 65, 2048} {
		if got := testing.AllocsPerRun(100, func() {
			XOR(b[:n], key, 1)
			Copy(dst[:n], b[:n], key, 1)
		}); got != 0 {
			t.Errorf("length %d: %v allocations, want 0", n, got)
		}
	}
}

// Sizes on both sides of every change of strategy, and of a frame header's.
var benchmarkSizes = []int{
	1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 63, 64, 125, 128, 512, 1024, 4096, 16384, 65536, 1 << 20,
}

// benchmark runs do over every size, on slices that are not aligned.
func benchmark(b *testing.B, min int, do func(dst, src []byte)) {
	for _, n := range benchmarkSizes {
		if n < min {
			continue
		}
		dst, src := make([]byte, n+32)[14:][:n], make([]byte, n+32)[3:][:n]
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				do(dst, src)
			}
		})
	}
}

func BenchmarkXOR(b *testing.B) {
	key := NewKey()
	benchmark(b, 0, func(dst, _ []byte) { XOR(dst, key, 1) })
}

func BenchmarkCopy(b *testing.B) {
	key := NewKey()
	benchmark(b, 0, func(dst, src []byte) { Copy(dst, src, key, 1) })
}

// BenchmarkMemmove is what Copy is measured against.
func BenchmarkMemmove(b *testing.B) {
	benchmark(b, 0, func(dst, src []byte) { copy(dst, src) })
}

func BenchmarkImplementation(b *testing.B) {
	for _, im := range implementations() {
		b.Run(im.name, func(b *testing.B) {
			benchmark(b, im.min, func(dst, _ []byte) { im.do(dst, dst, 0x04030201) })
		})
	}
}
