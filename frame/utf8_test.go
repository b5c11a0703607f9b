package frame

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"
)

// firstOffender is the definition: the length of the longest prefix of p that
// some continuation could still make valid.
func firstOffender(p []byte) int {
	for i := range p {
		var ok bool
		head := p[:i+1]
		for _, tail := range []string{"", "\x80", "\x80\x80", "\x80\x80\x80", "\xa0\x80", "\x90\x80\x80", "\xbf", "\xbf\xbf"} {
			if ok = utf8.ValidString(string(head) + tail); ok {
				break
			}
		}
		if !ok {
			return i
		}
	}
	return len(p)
}

func TestFirstOffendingByteIsFoundForEverySplit(t *testing.T) {
	for _, v := range readVectors(t, "utf8.txt") {
		p, err := hex.DecodeString(v[0])
		if err != nil {
			t.Fatal(err)
		}
		want := firstOffender(p)
		for i := 0; i <= len(p); i++ {
			for j := i; j <= len(p); j++ {
				var u UTF8
				got, ok := 0, true
				for _, piece := range [][]byte{p[:i], p[i:j], p[j:]} {
					var n int
					n, ok = u.Write(piece)
					got += n
					if !ok {
						break
					}
				}
				if got != want || ok != (want == len(p)) {
					t.Fatalf("% x cut at %d and %d: stopped at %d, ok %v; want %d", p, i, j, got, ok, want)
				}
				if valid := ok && u.Complete(); valid != utf8.Valid(p) {
					t.Fatalf("% x: valid %v, want %v", p, valid, utf8.Valid(p))
				}
			}
		}
	}
}

func TestEveryRuneAndEverySurrogate(t *testing.T) {
	var u UTF8
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if r == 0xd800 {
			r = 0xe000
		}
		if n, ok := u.Write(utf8.AppendRune(nil, r)); !ok || !u.Complete() {
			t.Fatalf("%U refused at byte %d", r, n)
		}
	}
	for r := 0xd800; r < 0xe000; r++ {
		p := []byte{0xe0 | byte(r>>12), 0x80 | byte(r>>6&0x3f), 0x80 | byte(r&0x3f)}
		u.Reset()
		if n, ok := u.Write(p); ok || n != 1 {
			t.Fatalf("surrogate %x: stopped at %d, ok %v", r, n, ok)
		}
	}
}

func TestEveryPairOfBytesAfterALongText(t *testing.T) {
	long := strings.Repeat("aé漢😀", 20)
	p := append([]byte(long), 0, 0)
	for a := range 256 {
		for b := range 256 {
			p[len(p)-2], p[len(p)-1] = byte(a), byte(b)
			var u UTF8
			n, ok := u.Write(p)
			want := len(long) + firstOffender(p[len(long):])
			if n != want || ok != (want == len(p)) {
				t.Fatalf("%x %x: stopped at %d, ok %v; want %d", a, b, n, ok, want)
			}
		}
	}
}

// A long text that is right, or is broken at any one byte, cut anywhere: the
// vectors of one piece and the automaton between two see the same.
func TestLongTextBrokenAnywhereAndCutAnywhere(t *testing.T) {
	const text = "plain, ещё раз, 色は匂へど, 😀😀😀. The quick brown fox jumps over the lazy dog; съешь ещё этих мягких булок 漢字 😀"
	for _, wrong := range []byte{'a', 0x80, 0xc0, 0xe0, 0xff} {
		for at := range len(text) {
			p := []byte(text)
			p[at] = wrong
			want := firstOffender(p)
			for cut := range len(p) + 1 {
				var u UTF8
				n, ok := u.Write(p[:cut])
				if ok {
					var m int
					m, ok = u.Write(p[cut:])
					n += m
				}
				if n != want || ok != (want == len(p)) {
					t.Fatalf("%x at %d, cut at %d: stopped at %d, ok %v; want %d", wrong, at, cut, n, ok, want)
				}
			}
		}
	}
}

func TestUTF8DoesNotAllocate(t *testing.T) {
	p := []byte(strings.Repeat("aé漢😀", 100))
	if n := testing.AllocsPerRun(100, func() {
		var u UTF8
		u.Write(p[:501])
		u.Write(p[501:])
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
