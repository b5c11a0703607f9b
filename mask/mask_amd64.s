//go:build !purego

#include "textflag.h"

// func maskBest(dst, src *byte, n int, k uint32)
TEXT ·maskBest(SB), NOSPLIT, $0-28
	CMPB ·useAVX2(SB), $0
	JEQ  sse2
	JMP  ·maskAVX2(SB)

sse2:
	JMP ·maskSSE2(SB)

// maskAVX2 and maskSSE2 share one plan. Let p be the distance from dst
// to the next vector boundary. The first vector (head) and the last four (tail)
// are loaded and masked before anything is stored, whatever their alignment; a
// loop masks four vectors at a time from dst+p on, so that its stores are
// aligned; head and tail are stored last. Where they overlap the loop they store
// the same bytes again, computed from what src held at first: dst may be src.
//
// Up to eight vectors there is no loop: as many from the head as from the tail.

// func maskAVX2(dst, src *byte, n int, k uint32)
TEXT ·maskAVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	MOVL k+24(FP), AX

	// Y0: the key at the head. Y1: at the tail, which begins at n modulo 4.
	LEAL         (DX*8), CX
	MOVL         AX, BX
	RORL         CX, BX
	VMOVD        AX, X0
	VMOVD        BX, X1
	VPBROADCASTD X0, Y0
	VPBROADCASTD X1, Y1

	CMPQ DX, $256
	JBE  upTo256

	VPXOR (SI), Y0, Y2
	VPXOR -128(SI)(DX*1), Y1, Y6
	VPXOR -96(SI)(DX*1), Y1, Y7
	VPXOR -64(SI)(DX*1), Y1, Y8
	VPXOR -32(SI)(DX*1), Y1, Y9

	// R8: p, from 1 to 32. R9: where the loop may stop. Y0: the key at p.
	MOVQ         $32, R8
	MOVQ         DI, R9
	ANDQ         $31, R9
	SUBQ         R9, R8
	LEAL         (R8*8), CX
	RORL         CX, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	LEAQ         -128(DX), R9

loop:
	VPXOR   (SI)(R8*1), Y0, Y10
	VPXOR   32(SI)(R8*1), Y0, Y11
	VPXOR   64(SI)(R8*1), Y0, Y12
	VPXOR   96(SI)(R8*1), Y0, Y13
	VMOVDQA Y10, (DI)(R8*1)
	VMOVDQA Y11, 32(DI)(R8*1)
	VMOVDQA Y12, 64(DI)(R8*1)
	VMOVDQA Y13, 96(DI)(R8*1)
	ADDQ    $128, R8
	CMPQ    R8, R9
	JB      loop

	VMOVDQU Y2, (DI)
	VMOVDQU Y6, -128(DI)(DX*1)
	VMOVDQU Y7, -96(DI)(DX*1)
	VMOVDQU Y8, -64(DI)(DX*1)
	VMOVDQU Y9, -32(DI)(DX*1)
	VZEROUPPER
	RET

upTo64:
	VPXOR   (SI), Y0, Y2
	VPXOR   -32(SI)(DX*1), Y1, Y6
	VMOVDQU Y2, (DI)
	VMOVDQU Y6, -32(DI)(DX*1)
	VZEROUPPER
	RET

upTo128:
	VPXOR   (SI), Y0, Y2
	VPXOR   32(SI), Y0, Y3
	VPXOR   -64(SI)(DX*1), Y1, Y6
	VPXOR   -32(SI)(DX*1), Y1, Y7
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	VMOVDQU Y6, -64(DI)(DX*1)
	VMOVDQU Y7, -32(DI)(DX*1)
	VZEROUPPER
	RET

upTo256:
	CMPQ DX, $64
	JBE  upTo64
	CMPQ DX, $128
	JBE  upTo128

	VPXOR   (SI), Y0, Y2
	VPXOR   32(SI), Y0, Y3
	VPXOR   64(SI), Y0, Y4
	VPXOR   96(SI), Y0, Y5
	VPXOR   -128(SI)(DX*1), Y1, Y6
	VPXOR   -96(SI)(DX*1), Y1, Y7
	VPXOR   -64(SI)(DX*1), Y1, Y8
	VPXOR   -32(SI)(DX*1), Y1, Y9
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	VMOVDQU Y4, 64(DI)
	VMOVDQU Y5, 96(DI)
	VMOVDQU Y6, -128(DI)(DX*1)
	VMOVDQU Y7, -96(DI)(DX*1)
	VMOVDQU Y8, -64(DI)(DX*1)
	VMOVDQU Y9, -32(DI)(DX*1)
	VZEROUPPER
	RET

// func maskSSE2(dst, src *byte, n int, k uint32)
TEXT ·maskSSE2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	MOVL k+24(FP), AX

	// X0: the key at the head. X1: at the tail, which begins at n modulo 4.
	LEAL   (DX*8), CX
	MOVL   AX, BX
	RORL   CX, BX
	MOVL   AX, X0
	MOVL   BX, X1
	PSHUFD $0, X0, X0
	PSHUFD $0, X1, X1

	CMPQ DX, $64
	JBE  upTo64
	CMPQ DX, $128
	JBE  upTo128

	MOVOU (SI), X2
	MOVOU -64(SI)(DX*1), X6
	MOVOU -48(SI)(DX*1), X7
	MOVOU -32(SI)(DX*1), X8
	MOVOU -16(SI)(DX*1), X9
	PXOR  X0, X2
	PXOR  X1, X6
	PXOR  X1, X7
	PXOR  X1, X8
	PXOR  X1, X9

	// R8: p, from 1 to 16. R9: where the loop may stop. X0: the key at p.
	MOVQ   $16, R8
	MOVQ   DI, R9
	ANDQ   $15, R9
	SUBQ   R9, R8
	LEAL   (R8*8), CX
	RORL   CX, AX
	MOVL   AX, X0
	PSHUFD $0, X0, X0
	LEAQ   -64(DX), R9

loop:
	MOVOU (SI)(R8*1), X10
	MOVOU 16(SI)(R8*1), X11
	MOVOU 32(SI)(R8*1), X12
	MOVOU 48(SI)(R8*1), X13
	PXOR  X0, X10
	PXOR  X0, X11
	PXOR  X0, X12
	PXOR  X0, X13
	MOVO  X10, (DI)(R8*1)
	MOVO  X11, 16(DI)(R8*1)
	MOVO  X12, 32(DI)(R8*1)
	MOVO  X13, 48(DI)(R8*1)
	ADDQ  $64, R8
	CMPQ  R8, R9
	JB    loop

	MOVOU X2, (DI)
	MOVOU X6, -64(DI)(DX*1)
	MOVOU X7, -48(DI)(DX*1)
	MOVOU X8, -32(DI)(DX*1)
	MOVOU X9, -16(DI)(DX*1)
	RET

upTo64:
	MOVOU (SI), X2
	MOVOU 16(SI), X3
	MOVOU -32(SI)(DX*1), X6
	MOVOU -16(SI)(DX*1), X7
	PXOR  X0, X2
	PXOR  X0, X3
	PXOR  X1, X6
	PXOR  X1, X7
	MOVOU X2, (DI)
	MOVOU X3, 16(DI)
	MOVOU X6, -32(DI)(DX*1)
	MOVOU X7, -16(DI)(DX*1)
	RET

upTo128:
	MOVOU (SI), X2
	MOVOU 16(SI), X3
	MOVOU 32(SI), X4
	MOVOU 48(SI), X5
	MOVOU -64(SI)(DX*1), X6
	MOVOU -48(SI)(DX*1), X7
	MOVOU -32(SI)(DX*1), X8
	MOVOU -16(SI)(DX*1), X9
	PXOR  X0, X2
	PXOR  X0, X3
	PXOR  X0, X4
	PXOR  X0, X5
	PXOR  X1, X6
	PXOR  X1, X7
	PXOR  X1, X8
	PXOR  X1, X9
	MOVOU X2, (DI)
	MOVOU X3, 16(DI)
	MOVOU X4, 32(DI)
	MOVOU X5, 48(DI)
	MOVOU X6, -64(DI)(DX*1)
	MOVOU X7, -48(DI)(DX*1)
	MOVOU X8, -32(DI)(DX*1)
	MOVOU X9, -16(DI)(DX*1)
	RET
