package suite

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestSamplesAreWhatTheySay(t *testing.T) {
	// How many octets are left of a hundred: bounds that tell the kinds apart.
	least, most := []int{4, 5, 20, 4, 90}, []int{25, 50, 45, 25, 105}
	for i, s := range samples {
		b := s.octets()
		if len(b) != sampleSize+longestSlice || !bytes.Equal(b[:longestSlice], b[sampleSize:]) {
			t.Errorf("%s: %d octets, or they do not go round", s.about, len(b))
		}
		size := 0
		for _, m := range seriesOf(seriesKey{s, 32 * kib, maxWindowBits, false}).messages[:7] {
			size += len(m)
		}
		if ratio := 100 * size / sampleSize; ratio < least[i] || ratio > most[i] {
			t.Errorf("%s: compressed to %d%%, want %d to %d", s.about, ratio, least[i], most[i])
		}
	}
}

func TestSlicesOfTextsAreValid(t *testing.T) {
	lengths := []int{16, 64, 256, kib, 4 * kib, 16 * kib, longestSlice}
	for _, s := range samples {
		if s.binary && s.about != "prose in several languages" {
			continue
		}
		ascii := true
		for _, c := range s.message(0, 4*kib) {
			ascii = ascii && c < 0x80
		}
		if ascii {
			t.Errorf("%s: nothing but ASCII", s.about)
		}
		for _, n := range lengths {
			for i := range min(messages, s.round(n)) {
				if !utf8.Valid(s.message(i, n)) {
					t.Fatalf("%s: message %d of %d octets is not UTF-8", s.about, i, n)
				}
			}
		}
	}
}

func TestMessagesRepeatAfterARound(t *testing.T) {
	for _, v := range volumes {
		n := samples[4].round(v.length)
		for i := range 3 {
			if !bytes.Equal(samples[4].message(i, v.length), samples[4].message(i+n, v.length)) {
				t.Errorf("%d octets: message %d is not message %d", v.length, i+n, i)
			}
		}
		if bytes.Equal(samples[4].message(0, v.length), samples[4].message(n-1, v.length)) {
			t.Errorf("%d octets: a round of %d is longer than need be", v.length, n)
		}
	}
}
