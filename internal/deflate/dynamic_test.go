package deflate

import (
	"strings"
	"testing"
)

// bitWriter writes a DEFLATE stream bit by bit (RFC 1951 §3.1.1).
type bitWriter struct {
	b []byte
	n int
}

// put writes the low n bits of v, the lowest first.
func (w *bitWriter) put(v, n int) {
	for i := range n {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (w.n % 8)
		w.n++
	}
}

// code writes a Huffman code of n bits, the highest first.
func (w *bitWriter) code(v, n int) {
	for i := n - 1; i >= 0; i-- {
		w.put(v>>i, 1)
	}
}

// dynamicHeader begins a dynamic block of so many codes for literals and for distances. The code for code lengths follows.
func dynamicHeader(nlit, ndist int) *bitWriter {
	w := &bitWriter{}
	w.put(0b100, 3) // not the last, dynamic
	w.put(nlit-257, 5)
	w.put(ndist-1, 5)
	w.put(numLengths-4, 4)
	return w
}

// plainLengths is a code for code lengths: 0 to 15 in four bits each.
func (w *bitWriter) plainLengths() {
	for _, symbol := range lengthsOrder {
		if symbol < 16 {
			w.put(4, 3)
		} else {
			w.put(0, 3)
		}
	}
}

// shortLengths is a code for code lengths: 0 and 1 in two bits, 2 and the repetitions 16, 17 and 18 in three.
func (w *bitWriter) shortLengths() {
	for _, symbol := range lengthsOrder {
		switch symbol {
		case 0, 1:
			w.put(2, 3)
		case 2, 16, 17, 18:
			w.put(3, 3)
		default:
			w.put(0, 3)
		}
	}
}

var shortCodes = map[int][2]int{0: {0, 2}, 1: {1, 2}, 2: {0b100, 3}, 16: {0b101, 3}, 17: {0b110, 3}, 18: {0b111, 3}}

// length writes a code length, or a repetition, in shortLengths's code.
func (w *bitWriter) length(symbol int) { w.code(shortCodes[symbol][0], shortCodes[symbol][1]) }

// message ends a stream as a message is.
func (w *bitWriter) message() []byte {
	w.put(0, 3) // an empty stored block, which is where the trailer was taken off
	for w.n%8 != 0 {
		w.put(0, 1)
	}
	return w.b
}

// TestHowManyCodesADynamicBlockMayHave: at most 286 for literals and 30 for distances (RFC 1951 §3.2.7), although the
// fields could say more, and although the code would be complete.
func TestHowManyCodesADynamicBlockMayHave(t *testing.T) {
	for _, tt := range []struct {
		name        string
		nlit, ndist int
		ok          bool
	}{
		{"the fewest", 257, 1, true},
		{"286 literals", 286, 1, true},
		{"287 literals", 287, 1, false},
		{"288 literals", 288, 1, false},
		{"30 distances", 257, 30, true},
		{"31 distances", 257, 31, false},
		{"32 distances", 257, 32, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := dynamicHeader(tt.nlit, tt.ndist)
			w.plainLengths()
			lengths := make([]int, tt.nlit+tt.ndist)
			lengths['a'], lengths['b'], lengths[256] = 2, 2, 1
			lengths[tt.nlit] = 1 // one distance, which is not used
			for _, n := range lengths {
				w.code(n, 4)
			}
			w.code(0b10, 2) // a
			w.code(0b11, 2) // b
			w.code(0, 1)    // the end
			checkDynamic(t, w.message(), "ab", tt.ok)
		})
	}
}

// TestABlockWithoutAnEndIsRefusedAtItsHeader, as zlib does, and not where the message ends: its symbols would go on for ever.
func TestABlockWithoutAnEndIsRefusedAtItsHeader(t *testing.T) {
	for _, tt := range []struct {
		name    string
		lengths map[int]int // of the literals' codes
		refused bool
	}{
		{"two literals and an end", map[int]int{'a': 2, 'b': 2, 256: 1}, false},
		{"an end alone", map[int]int{256: 1}, false},
		{"two literals and no end", map[int]int{'a': 1, 'b': 1}, true},
		{"a literal and no end", map[int]int{'a': 1}, true},
		{"no code at all", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := dynamicHeader(257, 1)
			w.plainLengths()
			for symbol := range 257 {
				w.code(tt.lengths[symbol], 4)
			}
			w.code(1, 4) // a distance
			d := new(Decompressor)
			// The message goes on: so far only the header has come.
			if out, err := d.Append(nil, w.b, false); len(out) != 0 || (err != nil) != tt.refused || err != nil && err != ErrCorrupt {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// TestRepeatedCodeLengths: 3 to 6 times the one before, 3 to 10 and 11 to 138 zeros (RFC 1951 §3.2.7), from literals
// into distances, to the last of them and no farther.
func TestRepeatedCodeLengths(t *testing.T) {
	// zeros writes n code lengths of zero by repetition.
	zeros := func(w *bitWriter, n int) {
		for n >= 11 {
			k := min(n, 138)
			w.length(18)
			w.put(k-11, 7)
			n -= k
		}
		if n >= 3 {
			w.length(17)
			w.put(n-3, 3)
			n = 0
		}
		for range n {
			w.length(0)
		}
	}
	for _, tt := range []struct {
		name  string
		write func(w *bitWriter) // the code lengths of 257 literals and 8 distances
		ok    bool
	}{
		{"each by itself", func(w *bitWriter) {
			zeros(w, 'a')
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			w.length(1)
			zeros(w, 7)
		}, true},
		{"zeros to the last distance", func(w *bitWriter) {
			zeros(w, 'a')
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			w.length(1)
			w.length(17)
			w.put(7-3, 3)
		}, true},
		{"zeros beyond the last distance", func(w *bitWriter) {
			zeros(w, 'a')
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			w.length(1)
			w.length(17)
			w.put(8-3, 3)
		}, false},
		{"many zeros beyond the last distance", func(w *bitWriter) {
			zeros(w, 'a')
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			w.length(18)
			w.put(0, 7)
		}, false},
		{"the one before, where there is none", func(w *bitWriter) {
			w.length(16)
			w.put(0, 2)
			zeros(w, 'a'-3)
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			zeros(w, 8)
		}, false},
		{"the one before, beyond the last distance", func(w *bitWriter) {
			zeros(w, 'a')
			w.length(2)
			w.length(2)
			zeros(w, 256-'c')
			w.length(1)
			zeros(w, 3)
			w.length(0)
			w.length(16)
			w.put(5-3, 2) // nine distances
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := dynamicHeader(257, 8)
			w.shortLengths()
			tt.write(w)
			w.code(0b10, 2)
			w.code(0b11, 2)
			w.code(0, 1)
			checkDynamic(t, w.message(), "ab", tt.ok)
		})
	}
	t.Run("the one before, from literals into distances", func(t *testing.T) {
		w := dynamicHeader(257, 4)
		w.shortLengths()
		zeros(w, 'a')
		w.length(1)
		zeros(w, 255-'b')
		w.length(2) // 255
		w.length(2) // 256, the end
		w.length(16)
		w.put(4-3, 2) // four distances of two bits
		w.code(0, 1)
		w.code(0, 1)
		w.code(0b11, 2)
		checkDynamic(t, w.message(), "aa", true)
	})
}

// TestAHeaderIsReadToItsLastBit: a block without an end is refused with the byte that the header ends in, although no bit
// follows.
func TestAHeaderIsReadToItsLastBit(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ndist int
		write func(w *bitWriter) // the code lengths of distances
	}{
		{"it ends with a code length", 2, func(w *bitWriter) {
			w.length(1)
			w.length(0)
		}},
		{"it ends with a repetition", 6, func(w *bitWriter) {
			w.length(1)
			w.length(0)
			w.length(0)
			w.length(17)
			w.put(0, 3) // three zeros
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := dynamicHeader(257, tt.ndist)
			w.shortLengths()
			for symbol := range 257 {
				if symbol == 'a' || symbol == 'b' {
					w.length(1)
				} else {
					w.length(0)
				}
			}
			tt.write(w)
			if w.n%8 != 0 {
				t.Fatalf("%d bits are no whole bytes", w.n)
			}
			var d Decompressor
			last := len(w.b) - 1
			if out, err := d.Append(nil, w.b[:last], false); len(out) != 0 || err != nil {
				t.Fatalf("before its last byte: %q, %v", out, err)
			}
			if out, err := d.Append(nil, w.b[last:], false); len(out) != 0 || err != ErrCorrupt {
				t.Errorf("with its last byte: %q, %v", out, err)
			}
		})
	}
}

// TestTheLongestSymbols: a length and a distance whose codes and extra bits take 48 bits together, at any bit of a byte, and near the
// end of the input.
func TestTheLongestSymbols(t *testing.T) {
	history := random(source(9), 1<<15)
	for before := range 8 {
		w := dynamicHeader(286, 30)
		w.plainLengths()
		lengths := make([]int, 286+30)
		for n := 1; n <= 13; n++ {
			lengths['a'+n-1] = n
		}
		lengths[endSymbol], lengths[284], lengths[285] = 14, 15, 15
		for n := 1; n <= 14; n++ {
			lengths[286+n-1] = n
		}
		lengths[286+28], lengths[286+29] = 15, 15
		for _, n := range lengths {
			w.code(n, 4)
		}
		for range before {
			w.code(0, 1) // an a
		}
		w.code(1<<15-2, 15) // 227 bytes
		w.put(30, 5)        // and 30 more
		w.code(1<<15-1, 15) // 24577 bytes back
		w.put(8191, 13)     // and 8191 more
		w.code(1<<14-2, 14) // the end
		var d Decompressor
		d.win.add(history, 1<<15, false)
		got, err := d.Append(nil, w.message(), true)
		want := strings.Repeat("a", before) + string(history[before:before+257])
		if err != nil || string(got) != want {
			t.Errorf("behind %d bits: %d bytes, %v; want %d", before, len(got), err, len(want))
		}
	}
}

// literal and match write symbols of the fixed code (RFC 1951 §3.2.6).
func (w *bitWriter) literal(b byte) {
	if b < 144 {
		w.code(0x30+int(b), 8)
	} else {
		w.code(0x190+int(b)-144, 9)
	}
}

func (w *bitWriter) match(length, lengthExtra, distance, distanceExtra int) {
	w.code(length-256, 7)
	w.put(0, lengthExtra)
	w.code(distance, 5)
	w.put(0, distanceExtra)
}

// TestASymbolIsKnownWithItsLastBit, although no bit follows: what it means is there at once, or refused.
func TestASymbolIsKnownWithItsLastBit(t *testing.T) {
	for _, tt := range []struct {
		name     string
		literals string
		behind   func(w *bitWriter)
		want     string
		err      error
	}{
		{"a literal", "\xf1\xf2\xf3\xf4\xf5", func(w *bitWriter) {}, "\xf1\xf2\xf3\xf4\xf5", nil},
		{"a match without extra bits", "\xf1abc", func(w *bitWriter) { w.match(257, 0, 3, 0) }, "\xf1abc\xf1ab", nil},
		{"a match with one of its length", "abcd", func(w *bitWriter) { w.match(265, 1, 3, 0) }, "abcdabcdabcdabc", nil},
		{"a match with one of its distance", "abcde", func(w *bitWriter) { w.match(257, 0, 4, 1) }, "abcdeabc", nil},
		{"distance 30, which is none", "\xf1abc", func(w *bitWriter) { w.match(257, 0, 30, 0) }, "\xf1abc", ErrCorrupt},
		{"distance 31, which is none", "\xf1abc", func(w *bitWriter) { w.match(257, 0, 31, 0) }, "\xf1abc", ErrCorrupt},
		{"length 286, which is none", "\xf1\xf2\xf3\xf4\xf5", func(w *bitWriter) { w.code(0xc6, 8) }, "\xf1\xf2\xf3\xf4\xf5", ErrCorrupt},
		{"length 287, which is none", "\xf1\xf2\xf3\xf4\xf5", func(w *bitWriter) { w.code(0xc7, 8) }, "\xf1\xf2\xf3\xf4\xf5", ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := new(bitWriter)
			w.put(0b010, 3) // not the last, fixed
			for i := range len(tt.literals) {
				w.literal(tt.literals[i])
			}
			tt.behind(w)
			if w.n%8 != 0 {
				t.Fatalf("%d bits are no whole bytes", w.n)
			}
			var d Decompressor
			if got, err := d.Append(nil, w.b, false); err != tt.err || string(got) != tt.want {
				t.Errorf("%q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestAStoredBlockBehindACompressedOne: some of its bytes were taken with the symbols before it.
func TestAStoredBlockBehindACompressedOne(t *testing.T) {
	const stored = "a block that is stored"
	for n := range 17 { // literals, so that the block ends at any bit
		literals := strings.Repeat("\xfe", n%8) + strings.Repeat("x", n)
		w := new(bitWriter)
		w.put(0b010, 3) // not the last, fixed
		for i := range len(literals) {
			w.literal(literals[i])
		}
		w.code(0, 7) // the end
		w.put(0, 3)  // not the last, stored
		w.b = append(w.b, storedBlock([]byte(stored))[1:]...)
		checkDynamic(t, append(w.b, 0), literals+stored, true)
	}
}

func checkDynamic(t *testing.T, z []byte, want string, ok bool) {
	t.Helper()
	d := new(Decompressor)
	got, err := d.Append(nil, z, true)
	if ok && (err != nil || string(got) != want) {
		t.Errorf("%q, %v", got, err)
	}
	if !ok && err != ErrCorrupt {
		t.Errorf("%q, %v", got, err)
	}
	// However it is cut, it is the same.
	if !ok {
		return
	}
	d = new(Decompressor)
	var out []byte
	for i := range z {
		var err error
		if out, err = d.Append(out, z[i:i+1], i == len(z)-1); err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if !strings.HasPrefix(string(out), want) {
		t.Errorf("byte by byte: %q", out)
	}
}
