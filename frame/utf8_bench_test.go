package frame

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// benchmarkTexts are some 64 KiB each.
var benchmarkTexts = []struct{ name, text string }{
	{"ascii", "the quick brown fox "},
	{"cyrillic", "съешь ещё этих мягких "},
	{"cjk", "色は匂へど散りぬるを"},
	{"json with emoji", `{"user":"anna","text":"hello 😀 world"},`},
}

var fragmentSizes = []int{8, 16, 24, 32, 64, 125, 250, 1000, 4096, 16384}

// fragments cuts a text of some 64 KiB anywhere, and runes between characters.
func fragments(text string, size int) (cut, runes [][]byte) {
	p := []byte(strings.Repeat(text, 1<<16/len(text)))
	for c := range slices.Chunk(p, size) {
		cut = append(cut, c)
	}
	for len(p) > 0 {
		n := min(size, len(p))
		for n < len(p) && !utf8.RuneStart(p[n]) {
			n--
		}
		runes, p = append(runes, p[:n]), p[n:]
	}
	return cut, runes
}

func BenchmarkUTF8(b *testing.B) {
	for _, t := range benchmarkTexts {
		for _, size := range fragmentSizes {
			cut, _ := fragments(t.text, size)
			b.Run(fmt.Sprintf("%s/%d", t.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(cut[0]) * (len(cut) - 1)))
				b.ReportAllocs()
				var u UTF8
				for b.Loop() {
					u.Reset()
					for _, p := range cut[:len(cut)-1] {
						u.Write(p)
					}
				}
			})
		}
	}
}

// BenchmarkUTF8AgainstStdlib reports how many times as fast as utf8.Valid a
// text in fragments is validated: the median of turns taken in one run. For
// utf8.Valid, which could not go on, no character is cut.
func BenchmarkUTF8AgainstStdlib(b *testing.B) {
	for _, t := range benchmarkTexts {
		for _, size := range fragmentSizes {
			cut, runes := fragments(t.text, size)
			b.Run(fmt.Sprintf("%s/%d", t.name, size), func(b *testing.B) {
				var ratios []float64
				for b.Loop() {
					begin := time.Now()
					var u UTF8
					for _, p := range cut {
						u.Write(p)
					}
					middle := time.Now()
					for _, p := range runes {
						utf8.Valid(p)
					}
					ratios = append(ratios, float64(time.Since(middle))/float64(middle.Sub(begin)))
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[len(ratios)/2], "x")
			})
		}
	}
}
