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

func BenchmarkUTF8(b *testing.B) {
	for _, t := range []struct{ name, text string }{
		{"ascii", strings.Repeat("the quick brown fox ", 204)},
		{"cyrillic", strings.Repeat("съешь ещё этих мягких ", 110)},
		{"cjk", strings.Repeat("色は匂へど散りぬるを", 136)},
		{"json with emoji", strings.Repeat(`{"user":"anna","text":"hello 😀 world"},`, 100)},
	} {
		p := []byte(t.text)
		b.Run(t.name, func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				var u UTF8
				u.Write(p)
			}
		})
		b.Run(t.name+"/unicode/utf8", func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				utf8.Valid(p)
			}
		})
	}
}
