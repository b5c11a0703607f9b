package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// First bytes of frames (RFC 6455 §5.2).
const (
	fin     = 0x80
	text    = 1
	closing = 8
	masked  = 0x80
)

// appendText appends a frame of a client's, whose masking key is zero.
func appendText(b []byte, s string) []byte {
	b = append(b, fin|text)
	if len(s) < 126 {
		b = append(b, masked|byte(len(s)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(len(s)))
	}
	return append(append(b, 0, 0, 0, 0), s...)
}

// frames reads the frames of a server, each of which is a whole text message.
type frames struct {
	in  *bufio.Reader
	buf []byte
}

// newFrames reads frames; first are bytes of theirs that have been read already.
func newFrames(r io.Reader, first []byte) *frames {
	return &frames{in: bufio.NewReader(io.MultiReader(bytes.NewReader(first), r))}
}

// next returns the next frame's text, which is valid until the next call, and the size of the frame.
func (f *frames) next() (data []byte, size int, err error) {
	var head [10]byte
	if _, err := io.ReadFull(f.in, head[:2]); err != nil {
		return nil, 0, err
	}
	length, header := uint64(head[1]), 2
	switch length {
	case 126:
		header = 4
	case 127:
		header = 10
	}
	if _, err := io.ReadFull(f.in, head[2:header]); err != nil {
		return nil, 0, err
	}
	switch header {
	case 4:
		length = uint64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		length = binary.BigEndian.Uint64(head[2:])
	}
	if length > 1<<20 {
		return nil, 0, fmt.Errorf("a frame of %d bytes", length)
	}
	if uint64(cap(f.buf)) < length {
		f.buf = make([]byte, length)
	}
	f.buf = f.buf[:length]
	if _, err := io.ReadFull(f.in, f.buf); err != nil {
		return nil, 0, err
	}
	switch head[0] {
	case fin | text:
		return f.buf, header + int(length), nil
	case fin | closing:
		return nil, 0, fmt.Errorf("the server closes the connection: %q", f.buf)
	}
	return nil, 0, fmt.Errorf("a frame that begins with %#x", head[0])
}

// messageStart is what the payload of every message begins with, and nothing else has.
var messageStart = []byte(`"#`)

// nextMessage finds the next payload in a frame's text, as function payload makes it, and returns what is behind it.
func nextMessage(data []byte) (topic, number int, rest []byte, found bool) {
	i := bytes.Index(data, messageStart)
	if i < 0 || len(data)-i < payloadSize {
		return 0, 0, nil, false
	}
	whole := data[i : i+payloadSize]
	topic, behind := digits(whole[len(messageStart):])
	number, behind = digits(behind)
	if len(behind) == 0 || behind[0] != 'x' || whole[payloadSize-1] != '"' {
		return 0, 0, nil, false
	}
	return topic, number, data[i+payloadSize:], true
}

// digits reads a number and the byte behind it.
func digits(b []byte) (n int, rest []byte) {
	for i, d := range b {
		if d < '0' || d > '9' {
			return n, b[i+1:]
		}
		n = 10*n + int(d-'0')
	}
	return n, nil
}
