package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"slices"
	"testing"
)

// Every way to cut the input and to run out of room comes to the same.
func TestInflationGoesOnAfterAnyByte(t *testing.T) {
	for _, s := range []setting{{15, 1, false}, {15, 9, true}, {10, 0, false}} {
		c, _ := s.pair()
		r := source(3)
		pieces := &Decompressor{WindowBits: s.bits, NoTakeover: s.noTakeover}
		rooms := &Decompressor{WindowBits: s.bits, NoTakeover: s.noTakeover}
		for _, p := range [][]byte{jsonMessage(r, 3000), bytes.Repeat([]byte("x"), 3000), random(r, 300),
			jsonMessage(r, 5000), nil, jsonMessage(r, 50)} {
			z := appendPieces(c, p, 2)
			var got []byte
			var err error
			for i := range z {
				if got, err = pieces.Append(got, z[i:i+1], i == len(z)-1); err != nil {
					t.Fatalf("%v: byte %d of %d: %v", s, i, len(z), err)
				}
			}
			if !bytes.Equal(got, p) {
				t.Fatalf("%v: fed byte by byte, it is not what was sent", s)
			}
			got = nil
			for rest := z; ; {
				room := make([]byte, r.IntN(3))
				n, used, err := rooms.Inflate(room, rest, true)
				got, rest = append(got, room[:n]...), rest[used:]
				if err == nil {
					break
				}
				if err != ErrShortDst || n != len(room) {
					t.Fatalf("%v: %v", s, err)
				}
			}
			if !bytes.Equal(got, p) {
				t.Fatalf("%v: given room byte by byte, it is not what was sent", s)
			}
		}
	}
}

// What has arrived is inflated at once, so that bad UTF-8 is found in mid-frame.
func TestNothingIsHeldBack(t *testing.T) {
	var c Compressor
	var d Decompressor
	var got []byte
	for i, p := range []string{"first ", "second ", "first ", "x"} {
		z := c.AppendPiece(nil, []byte(p), false)
		n := len(got)
		var err error
		if got, err = d.Append(got, z, false); err != nil || string(got[n:]) != p {
			t.Fatalf("piece %d: %q, %v", i, got[n:], err)
		}
	}
}

// reference inflates a message with compress/flate, one stream after the other.
func reference(z []byte, limit int64) ([]byte, error) {
	in := bytes.NewReader(append(bytes.Clone(z), trailer...))
	var out []byte
	for {
		p, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(in, out[max(0, len(out)-1<<15):]), limit-int64(len(out))))
		out = append(out, p...)
		switch {
		case int64(len(out)) >= limit:
			return out, nil
		case err == nil && (in.Len() == 0 || in.Len() == trailerSize):
			return out, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return out, ErrTruncated
		case err != nil:
			return out, ErrCorrupt
		}
	}
}

// Broken data fails where compress/flate fails, after the same output.
func TestBrokenDataFailsAsWithCompressFlate(t *testing.T) {
	r := source(4)
	for _, level := range []int{1, 5, 9} {
		c := Compressor{Level: level, NoTakeover: true}
		for _, size := range []int{40, 300, 3000} {
			z := c.AppendPiece(nil, jsonMessage(r, size), true)
			for range 500 {
				bad := bytes.Clone(z)
				for range 1 + r.IntN(3) {
					bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				}
				if r.IntN(2) == 0 {
					bad = bad[:r.IntN(len(bad))]
				}
				compare(t, bad)
			}
		}
	}
}

func compare(t *testing.T, z []byte) {
	t.Helper()
	const limit = 1 << 20
	d := Decompressor{Limit: limit}
	got, err := d.Append(nil, z, true)
	want, wantErr := reference(z, limit)
	switch {
	case len(want) == limit, err == nil && wantErr == nil && bytes.Equal(got, want):
	case err == nil && wantErr == ErrTruncated && bytes.Equal(got, want):
		// reference cannot tell the end between two blocks from one within
	case err != nil && bytes.HasPrefix(want, got) && (wantErr != nil || err == ErrTruncated):
		// reference takes the trailer for data
	default:
		t.Fatalf("%x: got %d bytes and %v, want %d bytes and %v", z, len(got), err, len(want), wantErr)
	}
}

// TestNoReferenceToWhatDstHeld: only the message and those before it can be referred to.
func TestNoReferenceToWhatDstHeld(t *testing.T) {
	for _, held := range []int{0, 1, 100, 1000} {
		var d Decompressor
		got, err := d.Append(make([]byte, held), fixedMatch(1), true)
		if err != ErrCorrupt || len(got) != held {
			t.Errorf("behind %d bytes: %d more, %v", held, len(got)-held, err)
		}
	}
}

func TestNoReferenceBeyondTheWindow(t *testing.T) {
	word := random(source(5), 40)
	for _, bits := range []int{0, 8, 9, 12, 15} {
		reach := 1 << max(bits, 9)
		if bits == 0 {
			reach = 1 << 15
		}
		for _, within := range []bool{true, false} {
			// stored blocks, then a match of 3 bytes in a fixed block
			distance := reach
			if !within {
				distance++
			}
			if distance > 1<<15 {
				continue // cannot be written
			}
			p := append(bytes.Clone(word), random(source(6), distance-len(word))...)
			for _, n := range []int{0, 400} { // bytes behind it: with many it is decoded in strides
				z := append(storedBlock(p), fixedMatch(distance)...)
				behind := random(source(7), n)
				if n > 0 {
					z = append(z, 0, 0, 0xff, 0xff) // what was cut off
					z = append(append(z, storedBlock(behind)...), 0)
				}
				d := Decompressor{WindowBits: bits}
				got, err := d.Append(make([]byte, 0, 1<<16), z, true)
				if want := slices.Concat(p, word[:3], behind); within && (err != nil || !bytes.Equal(got, want)) {
					t.Errorf("%d bits, %d bytes back, %d behind: %v", bits, distance, n, err)
				}
				if !within && err != ErrCorrupt {
					t.Errorf("%d bits, %d bytes back, %d behind: %v", bits, distance, n, err)
				}
			}
		}
	}
}

func storedBlock(p []byte) []byte {
	n := len(p)
	return append([]byte{0, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}, p...)
}

// fixedMatch is a block with one match of 3 bytes, and an empty stored block.
func fixedMatch(distance int) []byte {
	var bits []byte
	put := func(v, n int, huffman bool) {
		for i := range n {
			shift := i
			if huffman {
				shift = n - 1 - i
			}
			bits = append(bits, byte(v>>shift&1))
		}
	}
	put(0b010, 3, false)
	put(1, 7, true) // 257: length 3
	for s := range maxDistance {
		e := distanceSymbols[s]
		base, extra := int(e>>valueShift), int(e>>extraShift&extraMask)
		if distance < base+1<<extra {
			put(s, 5, true)
			put(distance-base, extra, false)
			break
		}
	}
	put(0, 7, true)
	put(0, 3, false)
	z := make([]byte, (len(bits)+7)/8)
	for i, b := range bits {
		z[i/8] |= b << (i % 8)
	}
	return z
}
