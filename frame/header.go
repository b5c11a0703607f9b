package frame

import (
	"encoding/binary"
	"math"
)

// MaxHeaderSize is the size in bytes of the longest header: two bytes, a 64-bit
// length and a masking key.
const MaxHeaderSize = 14

// MaxLength is the longest payload length that a header can declare, in bytes
// (§5.2: the most significant bit must be 0).
const MaxLength = math.MaxInt64

// Reserved bits of a header, as Header.RSV holds them (§5.2).
const (
	RSV1 = 0x40 // compressed message, with permessage-deflate (RFC 7692 §6)
	RSV2 = 0x20
	RSV3 = 0x10
)

const (
	finBit    = 0x80
	rsvBits   = RSV1 | RSV2 | RSV3
	opBits    = 0x0f
	maskBit   = 0x80
	lenBits   = 0x7f
	len16     = 126
	len64     = 127
	keyLength = 4
)

// Header is the header of one frame (§5.2). The zero value is that of an empty,
// unmasked continuation that is not final.
type Header struct {
	Length int64   // of the payload, in bytes; never negative
	Key    [4]byte // masking key; zero unless Masked
	Opcode Opcode
	RSV    byte // RSV1 | RSV2 | RSV3
	Fin    bool // last fragment of its message
	Masked bool
}

// Parse reads a header from the beginning of b and returns the number of bytes
// it takes. Zero with a nil error means that b holds only a part of a header.
// ErrLengthOverflow and ErrLengthNotMinimal are the only errors; everything
// that depends on the connection is for [Receiver] to judge.
func (h *Header) Parse(b []byte) (n int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	b0, b1 := b[0], b[1]
	h.Fin = b0&finBit != 0
	h.RSV = b0 & rsvBits
	h.Opcode = Opcode(b0 & opBits)
	h.Masked = b1&maskBit != 0
	n = 2
	switch l := b1 & lenBits; l {
	case len16:
		if len(b) < 4 {
			return 0, nil
		}
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
		if h.Length < len16 {
			return 0, ErrLengthNotMinimal
		}
		n = 4
	case len64:
		if len(b) < 10 {
			return 0, nil
		}
		u := binary.BigEndian.Uint64(b[2:])
		if u > MaxLength {
			return 0, ErrLengthOverflow
		}
		if u <= math.MaxUint16 {
			return 0, ErrLengthNotMinimal
		}
		h.Length = int64(u)
		n = 10
	default:
		h.Length = int64(l)
	}
	if !h.Masked {
		h.Key = [4]byte{}
		return n, nil
	}
	if len(b) < n+keyLength {
		return 0, nil
	}
	h.Key = [4]byte(b[n:])
	return n + keyLength, nil
}

// Size returns the bytes that Append adds.
func (h *Header) Size() int {
	n := 2
	switch {
	case h.Length > math.MaxUint16:
		n = 10
	case h.Length >= len16:
		n = 4
	}
	if h.Masked {
		n += keyLength
	}
	return n
}

// Append appends the header to dst, the length in its shortest form. It checks
// nothing: a test may append what no endpoint may send. Length must not be
// negative.
func (h *Header) Append(dst []byte) []byte {
	b0 := byte(h.Opcode)&opBits | h.RSV&rsvBits
	if h.Fin {
		b0 |= finBit
	}
	var b1 byte
	if h.Masked {
		b1 = maskBit
	}
	switch l := h.Length; {
	case l < len16:
		dst = append(dst, b0, b1|byte(l))
	case l <= math.MaxUint16:
		dst = append(dst, b0, b1|len16, byte(l>>8), byte(l))
	default:
		dst = append(dst, b0, b1|len64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(l))
	}
	if h.Masked {
		dst = append(dst, h.Key[0], h.Key[1], h.Key[2], h.Key[3])
	}
	return dst
}
