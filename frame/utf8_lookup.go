//go:build (amd64 || arm64) && !purego

package frame

// The assembly validates by table lookup, after John Keiser and Daniel Lemire,
// "Validating UTF-8 in less than one instruction per byte", Software: Practice
// and Experience 51 (2021), https://arxiv.org/abs/2010.03090.
//
// Whatever can be wrong with UTF-8 shows in two bytes that follow each other,
// but for the number of continuation bytes: a third and a fourth byte are
// where, and only where, two or three bytes before them a sequence of three or
// four was opened. For every byte of a vector at once, with the vectors of the
// bytes one, two and three before it:
//
//	pairs  = lookupHigh1[before1>>4] & lookupLow1[before1&15] & lookupHigh2[byte>>4]
//	third  = before2 >= 0xe0 || before3 >= 0xf0
//	broken = pairs ^ third<<7
//
// Each lookup answers with the set of patterns that its four bits do not rule
// out, one pattern a bit; what all three leave standing is there. Any byte of
// broken that is not zero is an error. The low four bits of the second byte are
// never needed: no bound of table 3-7 of Unicode falls between them.
//
// Some bits stand for several patterns, as eight must suffice. That is sound
// where the lookups cannot take half of one and half of another.
const (
	tooShort  = 1 << 0 // a lead, then no continuation
	tooLong   = 1 << 1 // ASCII, then a continuation
	overlong3 = 1 << 2 // E0, then 80 to 9F: below U+0800
	tooLarge  = 1 << 3 // F4 to FF, then 90 to BF: beyond U+10FFFF
	surrogate = 1 << 4 // ED, then A0 to BF
	overlong2 = 1 << 5 // C0 or C1, then a continuation: below U+0080

	// F5 to FF, then 80 to 8F, where tooLarge would also condemn F4; and F0,
	// then 80 to 8F: below U+10000.
	tooLarge8OrOverlong4 = 1 << 6

	// Two continuations are no error, if the second is a third or fourth byte:
	// the highest bit, to be compared with third.
	twoContinuations = 1 << 7

	// Errors that do not depend on the low four bits of the first byte.
	anyLow = tooShort | tooLong | twoContinuations
)

// lookup holds lookupHigh1, lookupLow1 and lookupHigh2, in this order.
var lookup = [3][16]byte{
	{ // the high four bits of the first byte
		0x0: tooLong, 0x1: tooLong, 0x2: tooLong, 0x3: tooLong,
		0x4: tooLong, 0x5: tooLong, 0x6: tooLong, 0x7: tooLong,
		0x8: twoContinuations, 0x9: twoContinuations, 0xa: twoContinuations, 0xb: twoContinuations,
		0xc: tooShort | overlong2,
		0xd: tooShort,
		0xe: tooShort | overlong3 | surrogate,
		0xf: tooShort | tooLarge | tooLarge8OrOverlong4,
	},
	{ // the low four bits of the first byte
		0x0: anyLow | overlong2 | overlong3 | tooLarge8OrOverlong4, // C0, E0, F0
		0x1: anyLow | overlong2,                                    // C1
		0x2: anyLow,
		0x3: anyLow,
		0x4: anyLow | tooLarge, // F4
		0x5: anyLow | tooLarge | tooLarge8OrOverlong4,
		0x6: anyLow | tooLarge | tooLarge8OrOverlong4,
		0x7: anyLow | tooLarge | tooLarge8OrOverlong4,
		0x8: anyLow | tooLarge | tooLarge8OrOverlong4,
		0x9: anyLow | tooLarge | tooLarge8OrOverlong4,
		0xa: anyLow | tooLarge | tooLarge8OrOverlong4,
		0xb: anyLow | tooLarge | tooLarge8OrOverlong4,
		0xc: anyLow | tooLarge | tooLarge8OrOverlong4,
		0xd: anyLow | tooLarge | tooLarge8OrOverlong4 | surrogate, // ED
		0xe: anyLow | tooLarge | tooLarge8OrOverlong4,
		0xf: anyLow | tooLarge | tooLarge8OrOverlong4,
	},
	{ // the high four bits of the second byte
		0x0: tooShort, 0x1: tooShort, 0x2: tooShort, 0x3: tooShort,
		0x4: tooShort, 0x5: tooShort, 0x6: tooShort, 0x7: tooShort,
		0x8: tooLong | overlong2 | twoContinuations | overlong3 | tooLarge8OrOverlong4,
		0x9: tooLong | overlong2 | twoContinuations | overlong3 | tooLarge,
		0xa: tooLong | overlong2 | twoContinuations | surrogate | tooLarge,
		0xb: tooLong | overlong2 | twoContinuations | surrogate | tooLarge,
		0xc: tooShort, 0xd: tooShort, 0xe: tooShort, 0xf: tooShort,
	},
}
