package frame

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readVectors returns the fields of each line of a file under testdata.
func readVectors(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 0 && f[0][0] != '#' {
			rows = append(rows, f)
		}
	}
	return rows
}

// TestHeaderVectors replays the table of lengths from both sides: what parses
// must append to the same bytes, what is malformed must be named.
func TestHeaderVectors(t *testing.T) {
	malformed := map[string]error{
		"overflow": ErrLengthOverflow, "not-minimal": ErrLengthNotMinimal,
	}
	for _, v := range readVectors(t, "headers.txt") {
		raw, err := hex.DecodeString(v[0])
		if err != nil {
			t.Fatal(err)
		}
		var h Header
		n, err := h.Parse(raw)
		if want, ok := malformed[v[1]]; ok {
			if !errors.Is(err, want) || n != 0 {
				t.Errorf("%s: got %d, %v; want %v", v[0], n, err, want)
			}
			continue
		}
		if err != nil || n != len(raw) {
			t.Errorf("%s: consumed %d bytes, %v", v[0], n, err)
			continue
		}
		got := fmt.Sprintf("%v,%d,%v,%v,%d", h.Fin, h.RSV>>4, h.Opcode, h.Masked, h.Length)
		if got != v[1] {
			t.Errorf("%s: got %s, want %s", v[0], got, v[1])
		}
		if h.Size() != len(raw) {
			t.Errorf("%s: Size() = %d", v[0], h.Size())
		}
		if out := hex.EncodeToString(h.Append(nil)); out != v[0] {
			t.Errorf("%s appends as %s", v[0], out)
		}
	}
}

func TestEveryPrefixOfAHeaderAsksForMore(t *testing.T) {
	for _, l := range []int64{0, 125, 126, 65535, 65536, MaxLength} {
		for _, masked := range []bool{false, true} {
			h := Header{Fin: true, Opcode: Binary, Length: l, Masked: masked}
			raw := h.Append(nil)
			for i := range raw {
				var got Header
				if n, err := got.Parse(raw[:i]); n != 0 || err != nil {
					t.Errorf("length %d, %d of %d bytes: got %d, %v", l, i, len(raw), n, err)
				}
			}
		}
	}
}

func TestEveryHeaderSurvivesAppendAndParse(t *testing.T) {
	lengths := []int64{0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 1 << 31, 1<<63 - 1}
	for b0 := range 256 {
		for _, l := range lengths {
			for _, masked := range []bool{false, true} {
				want := Header{
					Fin: b0&0x80 != 0, RSV: byte(b0) & 0x70, Opcode: Opcode(b0 & 15),
					Length: l, Masked: masked,
				}
				if masked {
					want.Key = [4]byte{1, 2, 3, 4}
				}
				raw := want.Append([]byte{})
				got := Header{Key: [4]byte{9, 9, 9, 9}, Masked: true}
				n, err := got.Parse(append(raw, 0xaa))
				if diff := cmp.Diff(want, got); n != len(raw) || err != nil || diff != "" {
					t.Fatalf("%x: %d, %v\n%s", raw, n, err, diff)
				}
			}
		}
	}
}

func TestHeadersAreParsedAndAppendedWithoutAllocation(t *testing.T) {
	buf := make([]byte, 0, MaxHeaderSize)
	h := Header{Fin: true, Opcode: Text, Length: 1 << 20, Masked: true}
	if n := testing.AllocsPerRun(100, func() {
		var got Header
		if n, err := got.Parse(h.Append(buf)); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHeaderParse(b *testing.B) {
	for _, l := range []int64{32, 1024, 1 << 20} {
		for _, masked := range []bool{false, true} {
			b.Run(fmt.Sprintf("length=%d/masked=%v", l, masked), func(b *testing.B) {
				raw := (&Header{Fin: true, Opcode: Binary, Length: l, Masked: masked}).Append(nil)
				var h Header
				b.ReportAllocs()
				for b.Loop() {
					if _, err := h.Parse(raw); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkHeaderAppend(b *testing.B) {
	for _, l := range []int64{32, 1024, 1 << 20} {
		for _, masked := range []bool{false, true} {
			b.Run(fmt.Sprintf("length=%d/masked=%v", l, masked), func(b *testing.B) {
				h := Header{Fin: true, Opcode: Binary, Length: l, Masked: masked}
				buf := make([]byte, 0, MaxHeaderSize)
				b.ReportAllocs()
				for b.Loop() {
					buf = h.Append(buf[:0])
				}
			})
		}
	}
}
