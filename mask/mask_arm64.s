//go:build !purego

#include "textflag.h"

// func maskNEON(dst, src *byte, n int, k uint32)
//
// The plan is that of amd64: the first vector (head) and the last four (tail)
// are loaded and masked before anything is stored; a loop masks four vectors
// at a time from the first boundary of 16 bytes in dst; head and tail are
// stored last. Up to eight vectors there is no loop.
TEXT ·maskNEON(SB), NOSPLIT, $0-28
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  n+16(FP), R2
	MOVWU k+24(FP), R3

	// V0: the key at the head. V1: at the tail, which begins at n modulo 4.
	LSL  $3, R2, R4
	RORW R4, R3, R5
	VDUP R3, V0.S4
	VDUP R5, V1.S4

	// R6, R7: the ends of src and dst.
	ADD R1, R2, R6
	ADD R0, R2, R7
	CMP $64, R2
	BLS upTo64

	SUB  $64, R6
	SUB  $64, R7
	VLD1 (R6), [V6.B16, V7.B16, V8.B16, V9.B16]
	VEOR V1.B16, V6.B16, V6.B16
	VEOR V1.B16, V7.B16, V7.B16
	VEOR V1.B16, V8.B16, V8.B16
	VEOR V1.B16, V9.B16, V9.B16
	CMP  $128, R2
	BLS  upTo128

	VLD1 (R1), [V2.B16]
	VEOR V0.B16, V2.B16, V2.B16

	// R8: from dst to its next boundary, 1 to 16. V0: the key there.
	AND  $15, R0, R8
	MOVD $16, R9
	SUB  R8, R9, R8
	LSL  $3, R8, R9
	RORW R9, R3, R3
	VDUP R3, V0.S4
	ADD  R8, R1, R1
	ADD  R8, R0, R10

loop:
	VLD1.P 64(R1), [V16.B16, V17.B16, V18.B16, V19.B16]
	VEOR   V0.B16, V16.B16, V16.B16
	VEOR   V0.B16, V17.B16, V17.B16
	VEOR   V0.B16, V18.B16, V18.B16
	VEOR   V0.B16, V19.B16, V19.B16
	VST1.P [V16.B16, V17.B16, V18.B16, V19.B16], 64(R10)
	CMP    R7, R10
	BLO    loop

	VST1 [V2.B16], (R0)
	VST1 [V6.B16, V7.B16, V8.B16, V9.B16], (R7)
	RET

upTo64:
	SUB  $32, R6
	SUB  $32, R7
	VLD1 (R1), [V2.B16, V3.B16]
	VLD1 (R6), [V6.B16, V7.B16]
	VEOR V0.B16, V2.B16, V2.B16
	VEOR V0.B16, V3.B16, V3.B16
	VEOR V1.B16, V6.B16, V6.B16
	VEOR V1.B16, V7.B16, V7.B16
	VST1 [V2.B16, V3.B16], (R0)
	VST1 [V6.B16, V7.B16], (R7)
	RET

upTo128:
	VLD1 (R1), [V2.B16, V3.B16, V4.B16, V5.B16]
	VEOR V0.B16, V2.B16, V2.B16
	VEOR V0.B16, V3.B16, V3.B16
	VEOR V0.B16, V4.B16, V4.B16
	VEOR V0.B16, V5.B16, V5.B16
	VST1 [V2.B16, V3.B16, V4.B16, V5.B16], (R0)
	VST1 [V6.B16, V7.B16, V8.B16, V9.B16], (R7)
	RET
