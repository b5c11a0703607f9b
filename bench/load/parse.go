package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// parser takes apart what a server sends, and counts the messages that ended.
type parser interface {
	feed(b []byte) (messages int, err error)
}

// frameParser reads frames. It takes messages in fragments too, as libraries that stream
// send them.
type frameParser struct {
	head    [14]byte
	have    int    // bytes of head
	rest    uint64 // payload still to come of the frame
	key     [4]byte
	masked  bool
	pos     int // within the payload of the frame, for the key
	fin     bool
	op      byte
	control []byte

	// opcode and size of the message in progress
	message   byte
	size      int
	messages  uint64
	deflated  bool
	want      func(i uint64) []byte // what message i is to say; nil: anything
	every     uint64                // compare each of these in every byte
	onControl func(op byte, payload []byte) error
	// onData sees all payload, for those who inflate it. Nil: nobody.
	onData func(deflated bool, p []byte, end bool) error
}

func (p *frameParser) feed(b []byte) (n int, err error) {
	for len(b) > 0 {
		if p.rest == 0 {
			k, done, err := p.header(b)
			b = b[k:]
			if err != nil {
				return n, err
			}
			if !done || p.rest > 0 {
				continue
			}
		}
		k := int(min(uint64(len(b)), p.rest))
		ended, err := p.payload(b[:k])
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
		b = b[k:]
	}
	return n, nil
}

// header collects a header. A frame without payload ends with it, so done is reported
// for the caller to go on with no bytes.
func (p *frameParser) header(b []byte) (k int, done bool, err error) {
	need := 2
	for {
		if p.have >= 2 {
			need = 2
			switch p.head[1] & 0x7f {
			case 126:
				need += 2
			case 127:
				need += 8
			}
			if p.head[1]&0x80 != 0 {
				need += 4
			}
		}
		if p.have >= 2 && p.have == need {
			break
		}
		c := copy(p.head[p.have:need], b[k:])
		if c == 0 {
			return k, false, nil
		}
		p.have += c
		k += c
	}
	h := p.head[:need]
	p.have, p.pos = 0, 0
	p.fin, p.op, p.masked = h[0]&0x80 != 0, h[0]&0x0f, h[1]&0x80 != 0
	at := 2
	switch n := h[1] & 0x7f; n {
	case 126:
		p.rest, at = uint64(binary.BigEndian.Uint16(h[2:])), 4
	case 127:
		p.rest, at = binary.BigEndian.Uint64(h[2:]), 10
	default:
		p.rest = uint64(n)
	}
	if p.masked {
		copy(p.key[:], h[at:])
	}
	return k, true, p.begin(h[0]&0x70 == rsv1)
}

// begin looks at the header that is complete.
func (p *frameParser) begin(deflated bool) error {
	switch p.op {
	case opText, opBinary:
		if p.message != 0 {
			return fmt.Errorf("a message begins within message %d", p.messages)
		}
		p.message, p.size, p.deflated = p.op, 0, deflated
	case opContinuation:
		if p.message == 0 {
			return fmt.Errorf("a continuation without a message, after message %d", p.messages)
		}
	case opClose, opPing, opPong:
		p.control = p.control[:0]
	default:
		return fmt.Errorf("opcode %#x after message %d", p.op, p.messages)
	}
	return nil
}

// payload takes a piece of the frame's payload and reports whether a message ends there.
func (p *frameParser) payload(b []byte) (ended bool, err error) {
	p.rest -= uint64(len(b))
	if p.masked && (p.sampled() || p.onData != nil || p.op >= opClose) {
		for i := range b {
			b[i] ^= p.key[(p.pos+i)%4]
		}
	}
	p.pos += len(b)
	if p.op >= opClose {
		p.control = append(p.control, b...)
		if p.rest == 0 && p.onControl != nil {
			return false, p.onControl(p.op, p.control)
		}
		return false, nil
	}
	ended = p.rest == 0 && p.fin
	if p.onData != nil {
		if err := p.onData(p.deflated, b, ended); err != nil {
			return false, err
		}
	}
	if p.want != nil {
		if err := p.compare(b, ended); err != nil {
			return false, err
		}
	}
	p.size += len(b)
	if ended {
		p.messages++
		p.message = 0
	}
	return ended, nil
}

func (p *frameParser) sampled() bool { return p.want != nil && p.messages%p.every == 0 }

func (p *frameParser) compare(b []byte, ended bool) error {
	want := p.want(p.messages)
	end := p.size + len(b)
	if end > len(want) || ended && end != len(want) {
		return fmt.Errorf("message %d has %d bytes, want %d", p.messages, end, len(want))
	}
	if p.sampled() && !bytes.Equal(b, want[p.size:end]) {
		return fmt.Errorf("message %d differs from what was sent, between bytes %d and %d", p.messages, p.size, end)
	}
	return nil
}

// byteParser counts what a bare echo returns: the very frames that were sent.
type byteParser struct {
	ring     *Ring
	messages uint64
	have     int // bytes of the current frame
	every    uint64
}

func (p *byteParser) feed(b []byte) (n int, err error) {
	size := p.ring.frameSize()
	for len(b) > 0 {
		k := min(len(b), size-p.have)
		if p.messages%p.every == 0 {
			want := p.ring.frames(p.messages, 1)
			if !bytes.Equal(b[:k], want[p.have:p.have+k]) {
				return n, fmt.Errorf("frame %d differs from what was sent", p.messages)
			}
		}
		b = b[k:]
		if p.have += k; p.have == size {
			p.have = 0
			p.messages++
			n++
		}
	}
	return n, nil
}
