package deflate

// block reads the header of a block (RFC 1951 §3.2.3).
func (z *inflater) block() error {
	if !z.need(3) {
		return errInput
	}
	z.final = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.take(z.nbits & 7) // a stored block begins at the next byte
		z.step = atLength
	case 1:
		tables := fixed()
		z.lit, z.dist = &tables[0], &tables[1]
		z.step = inSymbols
	case 2:
		z.step = atDynamic
	default:
		return ErrCorrupt
	}
	return nil
}

// endBlock is between blocks. A last one, with BFINAL set, is followed by the next
// message's first at the next byte; the window goes on (RFC 7692 §7.2.3.4).
func (z *inflater) endBlock() {
	if z.final {
		z.take(z.nbits & 7)
	}
	z.step = atBlock
}

// storedLength reads LEN and its complement (RFC 1951 §3.2.4).
func (z *inflater) storedLength() error {
	if !z.need(32) {
		return errInput
	}
	z.length = z.take(16)
	if z.take(16) != z.length^0xffff {
		return ErrCorrupt
	}
	z.step = inStored
	return nil
}

func (z *inflater) stored() error {
	for z.length > 0 {
		switch {
		case z.pos == len(z.out):
			return ErrShortDst
		case z.nbits > 0: // whole bytes that were taken already
			z.out[z.pos] = byte(z.take(8))
			z.pos++
			z.length--
		case z.at == len(z.in):
			return errInput
		default:
			n := min(z.length, len(z.in)-z.at)
			n = copy(z.out[z.pos:], z.in[z.at:z.at+n])
			z.at += n
			z.pos += n
			z.length -= n
		}
	}
	z.endBlock()
	return nil
}

// dynamic reads how many codes there are (RFC 1951 §3.2.7).
func (z *inflater) dynamic() error {
	if !z.need(14) {
		return errInput
	}
	z.nlit, z.ndist, z.nlengths = z.take(5)+257, z.take(5)+1, z.take(4)+4
	if z.nlit > maxLiterals || z.ndist > maxDistance {
		return ErrCorrupt
	}
	clear(z.lengths[:numLengths])
	z.have = 0
	z.step = inLengths
	return nil
}

var lengthsOrder = [numLengths]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// codeLengths reads the code that the code lengths are coded in. Its table
// occupies the room of the distances, which comes last.
func (z *inflater) codeLengths() error {
	for z.have < z.nlengths {
		if !z.need(3) {
			return errInput
		}
		z.lengths[lengthsOrder[z.have]] = uint8(z.take(3))
		z.have++
	}
	if !z.distTable.build(z.distRoom[:], lengthsBits, z.lengths[:numLengths], lengthsSymbols[:]) {
		return ErrCorrupt
	}
	z.have = 0
	z.step = inCodes
	return nil
}

// codes reads the code lengths of literals and distances, which form one sequence.
func (z *inflater) codes() error {
	total := z.nlit + z.ndist
	for z.have < total {
		z.need(lengthsBits + 7) // as much of it as there is
		e := z.distTable.find(z.hold)
		used := uint(e & codeLength)
		if used > z.nbits {
			return errInput
		}
		if e&kindLiteral == 0 {
			return ErrCorrupt
		}
		symbol := e >> valueShift
		if symbol < 16 {
			z.take(used)
			z.lengths[z.have] = uint8(symbol)
			z.have++
			continue
		}
		repeat, extra, length := 3, uint(2), uint8(0)
		switch symbol {
		case 16:
			if z.have == 0 {
				return ErrCorrupt
			}
			length = z.lengths[z.have-1]
		case 17:
			extra = 3
		case 18:
			repeat, extra = 11, 7
		}
		if used+extra > z.nbits {
			return errInput
		}
		z.take(used)
		if repeat += z.take(extra); z.have+repeat > total {
			return ErrCorrupt
		}
		for range repeat {
			z.lengths[z.have] = length
			z.have++
		}
	}
	return z.tables()
}

// endSymbol ends a block (RFC 1951 §3.2.5).
const endSymbol = 256

// tables makes the tables of a block. A code without a way to end the block is none, as it is to zlib.
func (z *inflater) tables() error {
	if z.lengths[endSymbol] == 0 {
		return ErrCorrupt
	}
	if !z.litTable.build(z.litRoom[:], literalBits, z.lengths[:z.nlit], literalSymbols[:]) ||
		!z.distTable.build(z.distRoom[:], distanceBits, z.lengths[z.nlit:z.nlit+z.ndist], distanceSymbols[:]) {
		return ErrCorrupt
	}
	z.lit, z.dist = &z.litTable, &z.distTable
	z.step = inSymbols
	return nil
}
