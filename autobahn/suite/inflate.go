package suite

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// inflater inflates the messages of one connection, one after the other (RFC 7692 §7.2.2). It is our own, and strict: the
// libraries' look back 32 KiB always, and would not notice a peer that keeps to no smaller window.
type inflater struct {
	// alone: every message begins with an empty window.
	alone bool
	// reach is how far back a match may refer, the size of the window.
	reach int
	// limit is the most that a message may inflate to.
	limit int

	history []byte // what was inflated last; its end is the window
	window  []byte // of the message in progress
	in      []byte
	at      int    // what is left of in begins here
	hold    uint64 // bits of in before at that were not used
	n       uint   // how many those are
	out     []byte
	empty   bool // the last block was a stored one with nothing in it

	familiar familiar // messages of before

	literals, distances, lengths codes
}

// How a message can fail to inflate, besides errCode.
var (
	errCutOff   = errors.New("the compressed data ends too early")
	errBlock    = errors.New("the compressed data has a block of no type that there is")
	errStored   = errors.New("the compressed data has a stored block whose length is not its complement's")
	errLengths  = errors.New("the compressed data has lengths of codes that cannot be")
	errTooLong  = errors.New("the compressed data inflates to more than was sent anywhere")
	errNoSymbol = errors.New("the compressed data has a symbol without a meaning")
)

// farthest is the last base of a distance that there is (RFC 1951 §3.2.5).
const farthest = 24577

// The bits of a first look: most codes are shorter.
const (
	literalLook  = 10
	distanceLook = 8
)

// deflateTail is what a sender leaves out (RFC 7692 §7.2.1): an empty stored block, but for its first three bits.
const deflateTail = "\x00\x00\xff\xff"

// inflate returns a message whose compressed octets are given; src may be written behind. The result is valid until the next
// call. After an error the connection has to end.
func (z *inflater) inflate(src []byte) ([]byte, error) {
	z.window = z.history[max(0, len(z.history)-z.reach):]
	if known := z.familiar.find(z.window, src); known != nil {
		z.remember(known)
		return known, nil
	}
	z.in, z.at, z.hold, z.n = append(src, deflateTail...), 0, 0, 0
	z.out = z.out[:0]
	for {
		final, err := z.block()
		if err != nil {
			return nil, err
		}
		if final {
			// A new row of blocks begins with an octet. Some senders end with the final block and append nothing.
			z.hold >>= z.n % 8
			z.n -= z.n % 8
		}
		switch rest := len(z.in) - z.at + int(z.n/8); {
		case final && rest == len(deflateTail), rest == 0 && z.empty:
			z.familiar.add(z.window, src, z.out)
			z.remember(z.out)
			return z.out, nil
		case rest == 0:
			return nil, errCutOff // what was left out was taken for data
		}
	}
}

// remember keeps the end of what there was for the next message.
func (z *inflater) remember(message []byte) {
	switch n := len(message); {
	case z.alone:
	case n >= z.reach:
		z.history = append(z.history[:0], message[n-z.reach:]...)
	default:
		if kept := z.reach - n; len(z.history) > 2*z.reach {
			z.history = z.history[:copy(z.history, z.history[len(z.history)-kept:])]
		}
		z.history = append(z.history, message...)
	}
}

// fill takes as much of the input as there is room for: 56 bits and more, unless the input ends.
func (z *inflater) fill() {
	if z.at+8 <= len(z.in) {
		z.hold |= binary.LittleEndian.Uint64(z.in[z.at:]) << z.n
		taken := (63 - z.n) / 8
		z.at += int(taken)
		z.n += 8 * taken
		z.hold &= 1<<z.n - 1
		return
	}
	for z.n <= 56 && z.at < len(z.in) {
		z.hold |= uint64(z.in[z.at]) << z.n
		z.at++
		z.n += 8
	}
}

// take returns the next n bits.
func (z *inflater) take(n uint) (int, error) {
	if z.n < n {
		if z.fill(); z.n < n {
			return 0, errCutOff
		}
	}
	bits := z.hold & (1<<n - 1)
	z.hold >>= n
	z.n -= n
	return int(bits), nil
}

// block inflates a block, and says whether it claims to be the last (RFC 1951 §3.2.3).
func (z *inflater) block() (final bool, err error) {
	head, err := z.take(3)
	if err != nil {
		return false, err
	}
	final = head&1 == 1
	switch head >> 1 {
	case 0:
		return final, z.stored()
	case 1:
		fixed := fixedCodes()
		return final, z.compressed(&fixed[0], &fixed[1])
	case 2:
		if err := z.readCodes(); err != nil {
			return false, err
		}
		return final, z.compressed(&z.literals, &z.distances)
	}
	return false, errBlock
}

// stored copies a block as it is (RFC 1951 §3.2.4).
func (z *inflater) stored() error {
	z.at -= int(z.n / 8)
	z.hold, z.n = 0, 0
	if len(z.in)-z.at < 4 {
		return errCutOff
	}
	n := int(binary.LittleEndian.Uint16(z.in[z.at:]))
	if n^int(binary.LittleEndian.Uint16(z.in[z.at+2:])) != 0xffff {
		return errStored
	}
	z.at += 4
	z.empty = n == 0
	if len(z.in)-z.at < n {
		return errCutOff
	}
	z.out = append(z.out, z.in[z.at:z.at+n]...)
	z.at += n
	if len(z.out) > z.limit {
		return errTooLong
	}
	return nil
}

// codeOrder is the order in which the lengths of the codes of lengths come (RFC 1951 §3.2.7).
var codeOrder = [lengthSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readCodes reads the codes of a block (RFC 1951 §3.2.7).
func (z *inflater) readCodes() error {
	sizes, err := z.take(14)
	if err != nil {
		return err
	}
	literals, distances, lengths := sizes&31+257, sizes>>5&31+1, sizes>>10+4
	if literals > 286 {
		return errLengths
	}
	var order [lengthSymbols]uint8
	for i := range lengths {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		order[codeOrder[i]] = uint8(n)
	}
	if err := z.lengths.build(order[:], lengthMeanings, 7); err != nil {
		return err
	}
	var all [286 + 32]uint8
	if err := z.readLengths(all[:literals+distances]); err != nil {
		return err
	}
	if all[256] == 0 {
		return errLengths // the block could not end
	}
	if err := z.literals.build(all[:literals], literalMeanings, literalLook); err != nil {
		return err
	}
	return z.distances.build(all[literals:literals+distances], distanceMeanings, distanceLook)
}

// readLengths reads the lengths of codes, which are coded themselves.
func (z *inflater) readLengths(all []uint8) error {
	for i := 0; i < len(all); {
		e, err := z.look(&z.lengths)
		if err != nil {
			return err
		}
		if e.value < 16 {
			all[i] = uint8(e.value)
			i++
			continue
		}
		// Repeat the length before, or zero.
		form := [...]struct {
			bits uint
			base int
		}{{2, 3}, {3, 3}, {7, 11}}[e.value-16]
		times, err := z.take(form.bits)
		if err != nil {
			return err
		}
		times += form.base
		if i+times > len(all) || e.value == 16 && i == 0 {
			return errLengths
		}
		for ; times > 0; times-- {
			if e.value == 16 {
				all[i] = all[i-1]
			}
			i++
		}
	}
	return nil
}

// look decodes a symbol.
func (z *inflater) look(c *codes) (entry, error) {
	if z.n < maxCodeBits {
		z.fill()
	}
	e := c.entries[z.hold&(1<<c.first-1)]
	if e.kind == isLink {
		e = c.entries[uint64(e.value)+z.hold>>c.first&(1<<e.more-1)]
	}
	switch {
	case e.bits == 0 && z.n >= maxCodeBits:
		return e, errNoSymbol
	case e.bits == 0 || uint(e.bits) > z.n:
		return e, errCutOff
	}
	z.hold >>= e.bits
	z.n -= uint(e.bits)
	return e, nil
}

// compressed inflates literals and matches up to the end of a block (RFC 1951 §3.2.5).
func (z *inflater) compressed(literals, distances *codes) error {
	z.empty = false
	for {
		z.run(literals)
		e, err := z.look(literals)
		switch {
		case err != nil:
			return err
		case len(z.out) > z.limit:
			return errTooLong
		case e.kind == isLiteral:
			z.out = append(z.out, byte(e.value))
			continue
		case e.kind == isEnd:
			return nil
		case e.kind == isNothing:
			return errNoSymbol
		}
		length, err := z.extra(e)
		if err != nil {
			return err
		}
		if e, err = z.look(distances); err != nil {
			return err
		}
		if e.value > farthest {
			return errNoSymbol
		}
		distance, err := z.extra(e)
		if err != nil {
			return err
		}
		if err := z.match(length, distance); err != nil {
			return err
		}
	}
}

// run inflates literals up to the first symbol that is none, or that needs a closer look.
func (z *inflater) run(c *codes) {
	hold, n, out := z.hold, z.n, z.out
	for {
		if n < maxCodeBits {
			z.hold, z.n = hold, n
			z.fill()
			hold, n = z.hold, z.n
		}
		e := c.entries[hold&(1<<c.first-1)]
		if e.kind != isLiteral || e.bits == 0 || uint(e.bits) > n || len(out) > z.limit {
			break
		}
		hold >>= e.bits
		n -= uint(e.bits)
		out = append(out, byte(e.value))
	}
	z.hold, z.n, z.out = hold, n, out
}

// extra adds an entry's extra bits to its base.
func (z *inflater) extra(e entry) (int, error) {
	n, err := z.take(uint(e.more))
	return int(e.value) + n, err
}

// match repeats what was inflated before, in this message or in the window.
func (z *inflater) match(length, distance int) error {
	before := distance - len(z.out) // octets that lie before the message
	if distance > z.reach || before > len(z.window) {
		return fmt.Errorf("the compressed data refers %d octets back, in a window of %d with %d in it",
			distance, z.reach, min(z.reach, len(z.window)+len(z.out)))
	}
	if before > 0 {
		from := z.window[len(z.window)-before:]
		n := min(length, before)
		z.out = append(z.out, from[:n]...)
		length -= n
	}
	for length > 0 { // the octets may be some that the match itself makes
		from := z.out[len(z.out)-distance:]
		n := min(length, len(from))
		z.out = append(z.out, from[:n]...)
		length -= n
	}
	return nil
}
