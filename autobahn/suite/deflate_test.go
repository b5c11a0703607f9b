package suite

import (
	"bytes"
	"fmt"
	"testing"
)

// TestWhatIsCompressedInflates covers every window, with and without takeover, through more than a window of every length.
func TestWhatIsCompressedInflates(t *testing.T) {
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		for _, alone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bits, alone %v", bits, alone), func(t *testing.T) {
				for i, n := range []int{16, 256, 4 * kib, 64 * kib} {
					s := samples[(bits+i)%len(samples)]
					d := newDeflater(bits, alone)
					z := (&compression{serverBits: bits, serverAlone: alone}).inflater(false)
					for m := range 40 {
						want := s.message(m, n)
						got, err := z.inflate(d.compress(want))
						if err != nil || !bytes.Equal(got, want) {
							t.Fatalf("message %d of %d octets: %v", m, n, err)
						}
					}
				}
			})
		}
	}
}

// TestContextIsUsedWhereItMay shows it by the size of the second message, which is the first once more.
func TestContextIsUsedWhereItMay(t *testing.T) {
	for _, n := range []int{64, 256} {
		payload := samples[4].message(1, n)
		for alone, most := range map[bool]int{false: 16, true: 2 * n} {
			d := newDeflater(maxWindowBits, alone)
			one, two := d.compress(payload), d.compress(payload)
			if len(two) > most || alone && !bytes.Equal(one, two) {
				t.Errorf("%d octets, alone %v: %d and %d octets", n, alone, len(one), len(two))
			}
		}
	}
}

// TestSeriesGoRound inflates more messages than are kept, so that the ones from before have to be right for them again.
func TestSeriesGoRound(t *testing.T) {
	for _, k := range []seriesKey{
		{samples[0], 128 * kib, 15, false},
		{samples[1], 32 * kib, 15, false},
		{samples[2], 4 * kib, 15, false},
		{samples[2], 4 * kib, 10, false},
		{samples[3], 64 * kib, 15, true},
		{samples[4], 1 * kib, 15, false},
		{samples[0], 16, 15, false},
	} {
		row := seriesOf(k)
		if seriesOf(k) != row {
			t.Errorf("%d octets: compressed again", k.length)
		}
		z := (&compression{serverBits: k.bits, serverAlone: k.alone}).inflater(false)
		for i := range min(messages, 3*len(row.messages)+1) {
			got, err := z.inflate(bytes.Clone(row.message(i)))
			if err != nil || !bytes.Equal(got, k.sample.message(i, k.length)) {
				t.Fatalf("%d octets, alone %v: message %d: %v", k.length, k.alone, i, err)
			}
		}
	}
}
