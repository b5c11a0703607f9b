package fuzz

import (
	"bytes"
	"testing"

	"github.com/seed-c4549abd/wss/mask"
)

// FuzzMask holds XOR and Copy against RFC 6455 §5.3 as it is written, whole and
// cut at any point. Which assembly runs depends on the machine; run it with
// -tags purego too. Every implementation is compared in mask's own tests.
func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello"), []byte{0x37, 0xfa, 0x21, 0x3d}, uint16(0), uint16(2), byte(0))
	f.Add([]byte{}, []byte{}, uint16(0), uint16(0), byte(0))
	f.Add(bytes.Repeat([]byte{0xff}, 64), []byte{1, 2, 3, 4}, uint16(3), uint16(63), byte(1))
	f.Add(bytes.Repeat([]byte{0xaa}, 129), []byte{1, 2, 3, 4}, uint16(1), uint16(64), byte(31))
	f.Add(bytes.Repeat([]byte{0x55}, 777), []byte{0, 0, 0, 1}, uint16(125), uint16(256), byte(13))

	f.Fuzz(func(t *testing.T, payload, keyBytes []byte, pos16, cut16 uint16, align byte) {
		var key [4]byte
		copy(key[:], keyBytes)
		pos := int(pos16)
		cut := min(int(cut16), len(payload))
		want := make([]byte, len(payload))
		for i, b := range payload {
			want[i] = b ^ key[(pos+i)%4]
		}

		// Guards on both sides, at an alignment of the fuzzer's choice.
		const guard = 0x5a
		memory := bytes.Repeat([]byte{guard}, len(payload)+2*64)
		at := 32 + int(align%32)
		got := memory[at:][:len(payload)]
		check := func(how string) {
			t.Helper()
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: got %x, want %x", how, got, want)
			}
			rest := append(bytes.Clone(memory[:at]), memory[at+len(payload):]...)
			if bytes.Count(rest, []byte{guard}) != len(rest) {
				t.Fatalf("%s: bytes outside the slice changed", how)
			}
		}

		copy(got, payload)
		mask.XOR(got, key, pos)
		check("XOR")

		copy(got, payload)
		mask.XOR(got[:cut], key, pos)
		mask.XOR(got[cut:], key, pos+cut)
		check("XOR in two pieces")

		clear(got)
		original := bytes.Clone(payload)
		if n := mask.Copy(got, payload, key, pos); n != len(payload) {
			t.Fatalf("Copy returned %d, want %d", n, len(payload))
		}
		check("Copy")
		if !bytes.Equal(payload, original) {
			t.Fatal("Copy changed its source")
		}

		clear(got)
		n := mask.Copy(got[:cut], payload, key, pos)
		mask.Copy(got[n:], payload[n:], key, pos+n)
		check("Copy in two pieces")

		copy(got, payload)
		mask.Copy(got, got, key, pos)
		check("Copy onto itself")
	})
}
