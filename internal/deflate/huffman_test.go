package deflate

import (
	"testing"
)

// The same codes as the meter's, which looks at one bit at a time.
func TestTablesDecodeCanonicalCodes(t *testing.T) {
	r := source(30)
	for range 100 {
		lengths := completeCode(r.IntN, 2+r.IntN(maxLiterals-1))
		var tab table
		var room [literalRoom]entry
		if !tab.build(room[:], literalBits, lengths, literalSymbols[:]) {
			t.Fatalf("%v is complete, but was refused", lengths)
		}
		ints := make([]int, len(lengths))
		for i, n := range lengths {
			ints[i] = int(n)
		}
		code := map[string]int{}
		canonical(code, ints)
		for bits, symbol := range code {
			hold := uint64(r.Uint32()) << len(bits)
			for i, b := range bits {
				hold |= uint64(b-'0') << i
			}
			if e, want := tab.find(hold), literalSymbols[symbol]|entry(len(bits)); e != want {
				t.Fatalf("code %s: entry %#x, want %#x", bits, e, want)
			}
		}
	}
}

// completeCode splits leaves until there are n, none deeper than 15.
func completeCode(intN func(int) int, n int) []uint8 {
	lengths := []uint8{1, 1}
	for len(lengths) < n {
		i := intN(len(lengths))
		if intN(2) == 0 {
			i = len(lengths) - 1 // long codes too
		}
		if lengths[i] == maxCode {
			continue
		}
		lengths[i]++
		lengths = append(lengths, lengths[i])
	}
	return lengths
}

func TestTablesRefuseOtherCodes(t *testing.T) {
	tests := []struct {
		name    string
		lengths []uint8
		ok      bool
	}{
		{"none at all", []uint8{0, 0, 0}, true},
		{"one of length 1", []uint8{0, 1}, true},
		{"one of length 2", []uint8{2, 0}, false},
		{"two of length 1", []uint8{1, 1}, true},
		{"three of length 1", []uint8{1, 1, 1}, false},
		{"incomplete", []uint8{1, 2}, false},
		{"over-subscribed", []uint8{1, 2, 2, 3}, false},
		{"complete", []uint8{1, 2, 3, 3}, true},
	}
	for _, tt := range tests {
		var tab table
		var room [distanceRoom]entry
		for i := range room {
			room[i] = ^entry(0) // of the block before
		}
		if ok := tab.build(room[:], distanceBits, tt.lengths, distanceSymbols[:]); ok != tt.ok {
			t.Errorf("%s: accepted = %v", tt.name, ok)
		}
	}
	var tab table
	var room [distanceRoom]entry
	room[0], room[1] = ^entry(0), ^entry(0)
	tab.build(room[:], distanceBits, []uint8{0, 0}, distanceSymbols[:])
	if e := tab.find(0); e != 0 {
		t.Errorf("no code decodes to %#x", e)
	}
	tab.build(room[:], distanceBits, []uint8{0, 1}, distanceSymbols[:])
	if e := tab.find(1); e != 0 {
		t.Errorf("the missing code decodes to %#x", e)
	}
}

// No complete code needs more room than there is: the longest second levels.
func TestTablesFitTheirRoom(t *testing.T) {
	r := source(31)
	for range 2_000 {
		var tab table
		var lit [literalRoom]entry
		var dist [distanceRoom]entry
		tab.build(lit[:], literalBits, completeCode(r.IntN, maxLiterals), literalSymbols[:])
		tab.build(dist[:], distanceBits, completeCode(r.IntN, maxDistance), distanceSymbols[:])
	}
}
