package differential

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"unicode/utf8"
)

// aFrame is a frame as it lies in a stream, read without this library, and without
// looking at any rule but where it begins and ends (RFC 6455 §5.2).
type aFrame struct {
	fin, masked bool
	rsv, opcode byte
	extra       int // bytes of the extended length: 0, 2 or 8
	length      uint64
	payload     []byte // unmasked, as far as it is there
	whole       bool   // header and payload are there
	short       bool   // not even the header is
	measured    bool   // the length is there
	before      int    // data messages that were complete before it
	text        []byte // of the text message that it belongs to, with payload, inflated
	within      bool   // a message is not complete
	corrupt     bool   // the compressed message that it belongs to, so far
	between     bool   // it is, but would not be with one byte more for the header of the trailer
	lastBlock   bool   // that message has a block that calls itself the last one (BFINAL)
	inflated    int    // bytes of that message so far
	deflated    uint64 // bytes that its frames declare, if it is compressed
}

// walk cuts a stream into frames. The last one may not be whole.
func walk(stream []byte) (frames []aFrame) {
	done, inText, zip, over, began := 0, false, false, false, false
	var raw []byte
	var declared uint64
	for len(stream) >= 2 {
		f := aFrame{
			fin: stream[0]&0x80 != 0, rsv: stream[0] >> 4 & 7, opcode: stream[0] & 15,
			masked: stream[1]&0x80 != 0, length: uint64(stream[1] & 0x7f), before: done,
		}
		size := 2
		switch f.length {
		case 126:
			f.extra = 2
		case 127:
			f.extra = 8
		}
		var key [4]byte
		header := size + f.extra
		if f.masked {
			header += len(key)
		}
		f.measured = len(stream) >= size+f.extra
		switch {
		case f.measured && f.extra == 2:
			f.length = uint64(binary.BigEndian.Uint16(stream[2:]))
		case f.measured && f.extra == 8:
			f.length = binary.BigEndian.Uint64(stream[2:])
		}
		if f.short = len(stream) < header; f.short {
			return append(frames, f)
		}
		if f.masked {
			copy(key[:], stream[header-4:])
		}
		stream = stream[header:]
		n := min(f.length, uint64(len(stream)))
		f.whole = n == f.length
		for i, b := range stream[:n] {
			f.payload = append(f.payload, b^key[i%4])
		}
		stream = stream[n:]
		if f.opcode < 8 {
			if f.opcode != 0 {
				inText, zip, raw = f.opcode == 1, f.rsv&4 != 0, nil
				declared = 0
			}
			over, began = f.fin && f.whole, true
			raw = append(raw[:len(raw):len(raw)], f.payload...)
			message := raw
			if zip {
				message, f.corrupt, f.lastBlock = inflate(raw, f.fin && f.whole)
				if f.corrupt && f.fin && f.whole {
					_, stays, _ := inflate(append(bytes.Clone(raw), 0), true)
					f.between = !stays
				}
				f.inflated = len(message)
				declared += f.length
				f.deflated = declared
			}
			if inText {
				f.text = message
			}
			if f.fin && f.whole {
				done++
			}
		}
		f.within = began && !over
		frames = append(frames, f)
	}
	return frames
}

// inflate inflates a message as far as it goes with compress/flate, and reports whether it
// is corrupt (RFC 7692 §7.2.2), and whether it has a last block.
func inflate(raw []byte, whole bool) (message []byte, corrupt, last bool) {
	stream := append(bytes.Clone(raw), 0x00, 0x00, 0xff, 0xff)
	if whole {
		stream = append(stream, 0x01, 0x00, 0x00, 0xff, 0xff) // compress/flate wants a last block
	}
	const most = 1 << 20
	in := bytes.NewReader(stream)
	for {
		// After a last block another stream goes on with the window.
		r := flate.NewReaderDict(in, message[max(0, len(message)-1<<15):])
		p, err := io.ReadAll(io.LimitReader(r, most))
		message = append(message, p...)
		ours := whole && in.Len() == 0
		last = last || err == nil && !ours
		if err != nil || ours || in.Len() == 0 || len(message) >= most {
			return message, err != nil && (whole || err != io.ErrUnexpectedEOF), last
		}
	}
}

// badText reports whether nothing that follows can make f's message UTF-8 (§8.1).
func (f *aFrame) badText() bool {
	for b := f.text; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return utf8.FullRune(b) || f.fin && f.whole
		}
		b = b[n:]
	}
	return false
}

// client returns a frame of a client's; its masking key is not zero.
func client(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// first bytes of frames
const (
	text, binaryData, closing, ping = 0x81, 0x82, 0x88, 0x89
	textBegins, goesOn, isOver      = 0x01, 0x00, 0x80
	zipped                          = 0x40
)
