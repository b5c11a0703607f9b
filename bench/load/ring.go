// Package load is the measuring side: it is neutral, knows none of the libraries, and is
// the same for all. Frames are made ready beforehand; replies are counted by their headers
// and compared with what was sent, now and then in every byte.
package load

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// Opcodes (RFC 6455 §5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// Ring is a sequence of masked frames that lie one behind the other in memory, so that
// any number of them in a row can be written at once. The first of them may be for once
// only; the others come again and again.
type Ring struct {
	buf      []byte
	at       []int // where frame i begins; the last is the end
	once     int   // frames that are sent once
	cycle    int   // frames that are sent for ever after
	payloads [][]byte
}

// NewRing masks each payload under a key of its own, as a binary or text message. batch
// is the most frames that are ever written at once.
func NewRing(payloads [][]byte, text bool, batch int) *Ring {
	op := byte(opBinary)
	if text {
		op = opText
	}
	r := &Ring{cycle: len(payloads), payloads: payloads}
	r.fill(payloads, op, batch)
	return r
}

// NewDeflateRing takes messages that were compressed already: those of once, then those
// of cycle, over and over. payloads are what they say.
func NewDeflateRing(once, cycle, payloads [][]byte, batch int) *Ring {
	r := &Ring{once: len(once), cycle: len(cycle), payloads: payloads}
	all := append(append([][]byte{}, once...), cycle...)
	r.fill(all, opText|rsv1, batch)
	return r
}

const rsv1 = 0x40 // a compressed message (RFC 7692 §6)

func (r *Ring) fill(messages [][]byte, op byte, batch int) {
	rng := rand.New(rand.NewPCG(1, uint64(len(messages))))
	for i := range len(messages) + batch {
		if i >= len(messages) {
			r.at = append(r.at, len(r.buf))
			k := r.once + (i-r.once)%r.cycle
			r.buf = append(r.buf, r.buf[r.at[k]:r.at[k+1]]...)
			continue
		}
		r.at = append(r.at, len(r.buf))
		r.buf = AppendFrame(r.buf, op, messages[i], rng.Uint32())
	}
	r.at = append(r.at, len(r.buf))
}

// AppendFrame appends a masked, final frame.
func AppendFrame(dst []byte, op byte, payload []byte, key uint32) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	var k [4]byte
	binary.LittleEndian.PutUint32(k[:], key)
	dst = append(dst, k[:]...)
	for i, b := range payload {
		dst = append(dst, b^k[i%4])
	}
	return dst
}

// frames returns n frames from the i-th on, as they are sent.
func (r *Ring) frames(i uint64, n int) []byte {
	k := r.index(i)
	return r.buf[r.at[k]:r.at[k+n]]
}

func (r *Ring) index(i uint64) int {
	if i < uint64(r.once) {
		return int(i)
	}
	return r.once + int((i-uint64(r.once))%uint64(r.cycle))
}

// payload is what message i says.
func (r *Ring) payload(i uint64) []byte { return r.payloads[i%uint64(len(r.payloads))] }

// frameSize is the size of the first frame; without compression all are as large.
func (r *Ring) frameSize() int { return r.at[1] - r.at[0] }

// Payloads makes n different payloads of size bytes.
func Payloads(n, size int) [][]byte {
	rng := rand.New(rand.NewPCG(7, uint64(size)))
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, size)
		for k := range all[i] {
			all[i][k] = byte(rng.Uint32())
		}
	}
	return all
}

// RingFor makes a ring of random payloads of size bytes: some 256 KiB of them, and at
// least four. The same ring serves everybody who asks for the same.
func RingFor(size, batch int) *Ring {
	ringsMade.Lock()
	defer ringsMade.Unlock()
	key := [2]int{size, batch}
	if ringsMade.m[key] == nil {
		n := min(max(256<<10/max(size, 1), 4), 512)
		ringsMade.m[key] = NewRing(Payloads(n, size), false, batch)
	}
	return ringsMade.m[key]
}

var ringsMade = struct {
	sync.Mutex
	m map[[2]int]*Ring
}{m: map[[2]int]*Ring{}}
