package suite

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// newInflater is for a full window and messages of any length.
func newInflater() *inflater { return &inflater{reach: 1 << maxWindowBits, limit: inflateLimit} }

func octets(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheExamplesOfTheRFCInflate(t *testing.T) {
	for name, rows := range map[string][]string{
		"7.2.3.1, one block":                 {"f2 48 cd c9 c9 07 00"},
		"7.2.3.2, with the window kept":      {"f2 48 cd c9 c9 07 00", "f2 00 11 00 00"},
		"7.2.3.3, a block as it is":          {"00 05 00 fa ff 48 65 6c 6c 6f 00"},
		"7.2.3.4, a final block":             {"f3 48 cd c9 c9 07 00 00"},
		"7.2.3.5, two blocks":                {"f2 48 05 00 00 00 ff ff ca c9 c9 07 00"},
		"a final block and nothing after it": {"f3 48 cd c9 c9 07 00"},
		"final blocks, with the window kept": {"f3 48 cd c9 c9 07 00 00", "f3 00 11 00 00"},
	} {
		z := newInflater()
		for i, row := range rows {
			got, err := z.inflate(octets(t, row))
			if string(got) != "Hello" || err != nil {
				t.Errorf("%s, message %d: %q, %v", name, i+1, got, err)
			}
		}
	}
}

func TestWhatIsNotDeflateIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		row  string
		want error
	}{
		"nothing":                         {"", errCutOff},
		"a literal cut off":               {"f2 48", errCutOff},
		"a block that does not end":       {"f2 48 cd c9 c9", errCutOff},
		"a stored block cut off":          {"00 05 00 fa ff 48", errCutOff},
		"a stored block with a wrong sum": {"00 05 00 fb ff 48 65 6c 6c 6f 00", errStored},
		"a type that there is not":        {"07 00", errBlock},
		"a distance beyond the beginning": {"f2 00 11 00 00", nil},
		"a length symbol without meaning": {"1b 03 00", errNoSymbol},
		"more literals than there are":    {"fd ff ff ff", errLengths},
		"codes of lengths that are none":  {"04 00 fe ff ff ff", errCode},
		// 257 literals, one distance; lengths of 18 in one bit and of 1 in one: 138 and 119 zeros, and a distance.
		"a block without an end":           {"04 c0 81 00 00 00 00 00 90 ff 6c", errLengths},
		"text in place of compressed data": {hex.EncodeToString([]byte("Hello, hello, hello")), nil},
	} {
		got, err := newInflater().inflate(octets(t, test.row))
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %q, error %v, want %v", name, got, err, test.want)
		}
	}
}

func TestAMessageThatIsTooLongIsRefused(t *testing.T) {
	for _, n := range []int{1, 2, 300, 100_000} {
		for name, level := range map[string]int{"stored": 0, "compressed": 9} {
			var out bytes.Buffer
			w, err := flate.NewWriter(&out, level)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(make([]byte, n))
			w.Flush()
			src := bytes.TrimSuffix(out.Bytes(), []byte(deflateTail))
			for limit, want := range map[int]error{n: nil, n - 1: errTooLong} {
				z := &inflater{reach: 1 << maxWindowBits, limit: limit}
				if _, err := z.inflate(bytes.Clone(src)); !errors.Is(err, want) {
					t.Errorf("%s, %d octets, limit %d: %v", name, n, limit, err)
				}
			}
		}
	}
}

func TestASmallerWindowIsKeptTo(t *testing.T) {
	payload := samples[4].message(0, 512)
	for _, gap := range []int{0, 1, 100} {
		row := append(bytes.Clone(payload), samples[4].message(9, gap)...)
		row = append(row, payload...)
		src := newDeflater(maxWindowBits, false).compress(row)
		if got, err := newInflater().inflate(bytes.Clone(src)); !bytes.Equal(got, row) || err != nil {
			t.Errorf("full window, gap %d: %v", gap, err)
		}
		z := &inflater{reach: 512, limit: inflateLimit}
		if _, err := z.inflate(src); (err == nil) != (gap == 0) {
			t.Errorf("window of 512, gap %d: error %v", gap, err)
		}
	}
}

// TestTheLibrarysOutputInflates covers all types of blocks, messages of all lengths, and contexts that go on.
func TestTheLibrarysOutputInflates(t *testing.T) {
	for _, level := range []int{flate.HuffmanOnly, 0, 1, 4, 6, 9} {
		for _, s := range samples {
			var out bytes.Buffer
			w, err := flate.NewWriter(&out, level)
			if err != nil {
				t.Fatal(err)
			}
			z := newInflater()
			for i, n := range []int{1, 2, 3, 16, 100, 1000, 40_000, 5, 70_000, 131072, 17} {
				want := s.message(i, n)
				out.Reset()
				w.Write(want)
				w.Flush()
				got, err := z.inflate(bytes.Clone(bytes.TrimSuffix(out.Bytes(), []byte(deflateTail))))
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s, level %d, %d octets: %v", s.about, level, n, err)
				}
			}
		}
	}
}

// TestDamageIsNoticedOrReadAsTheLibraryDoes flips bits: nothing panics, and what inflates is what the library makes of it.
func TestDamageIsNoticedOrReadAsTheLibraryDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inflated := 0
	for i := range 1000 {
		want := samples[i%len(samples)].message(i, 1+r.IntN(2000))
		src := newDeflater(maxWindowBits, true).compress(want)
		for range 1 + r.IntN(3) {
			src[r.IntN(len(src))] ^= 1 << r.IntN(8)
		}
		got, err := newInflater().inflate(bytes.Clone(src))
		if err != nil {
			continue
		}
		inflated++
		reader := flate.NewReader(io.MultiReader(bytes.NewReader(src), strings.NewReader(deflateTail+"\x01\x00\x00\xff\xff")))
		library, err := io.ReadAll(reader)
		// The library stops at a final block.
		if err != nil || !bytes.HasPrefix(got, library) {
			t.Fatalf("message %d, %d octets: %v", i, len(want), err)
		}
	}
	if inflated == 0 {
		t.Error("nothing inflated")
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, s := range samples {
		b.Run(strings.ReplaceAll(s.about, " ", "_"), func(b *testing.B) {
			const n = 64 * kib
			row := seriesOf(seriesKey{s, n, maxWindowBits, false})
			z := newInflater()
			buf := make([]byte, 0, 2*n)
			b.SetBytes(n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := z.inflate(append(buf, row.message(i)...)); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
