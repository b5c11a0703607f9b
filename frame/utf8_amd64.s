//go:build !purego

#include "textflag.h"

DATA ·bytes<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA ·bytes<>+8(SB)/8, $0x6060606060606060
DATA ·bytes<>+16(SB)/8, $0x7070707070707070
DATA ·bytes<>+24(SB)/8, $0x8080808080808080
GLOBL ·bytes<>(SB), RODATA|NOPTR, $32

// CHECK looks at the bytes of Y0, with those one, two and three before them in
// Y1, Y2 and Y3, and adds what is broken to Y15. utf8_lookup.go says how.
// Y8 to Y10: lookup. Y11: the low four bits. Y12, Y13: what makes a saturated
// subtraction leave 0x80 or more of 0xe0, of 0xf0 or more. Y14: the high bit.
#define CHECK \
	VPSRLW   $4, Y1, Y4   \
	VPSRLW   $4, Y0, Y6   \
	VPAND    Y11, Y4, Y4  \
	VPAND    Y11, Y1, Y5  \
	VPAND    Y11, Y6, Y6  \
	VPSHUFB  Y4, Y8, Y4   \
	VPSHUFB  Y5, Y9, Y5   \
	VPSHUFB  Y6, Y10, Y6  \
	VPSUBUSB Y12, Y2, Y2  \
	VPSUBUSB Y13, Y3, Y3  \
	VPAND    Y4, Y5, Y4   \
	VPOR     Y3, Y2, Y2   \
	VPAND    Y6, Y4, Y4   \
	VPAND    Y14, Y2, Y2  \
	VPXOR    Y2, Y4, Y4   \
	VPOR     Y4, Y15, Y15

// CHECKAT does so for 32 bytes that have others before them. Loading those
// again is no dearer than shifting them in, and needs nothing to be carried on.
#define CHECKAT(off, base, index) \
	VMOVDQU off(base)(index*1), Y0     \
	VMOVDQU (off-1)(base)(index*1), Y1 \
	VMOVDQU (off-2)(base)(index*1), Y2 \
	VMOVDQU (off-3)(base)(index*1), Y3 \
	CHECK

#define CONSTANTS \
	VBROADCASTI128 ·lookup+0(SB), Y8    \
	VBROADCASTI128 ·lookup+16(SB), Y9   \
	VBROADCASTI128 ·lookup+32(SB), Y10  \
	VPBROADCASTQ   ·bytes<>+0(SB), Y11  \
	VPBROADCASTQ   ·bytes<>+8(SB), Y12  \
	VPBROADCASTQ   ·bytes<>+16(SB), Y13 \
	VPBROADCASTQ   ·bytes<>+24(SB), Y14 \
	VPXOR          Y15, Y15, Y15

// func bulkAVX2(p *byte, n int) int
//
// SI: p. DX: n. AX: how far nothing is wrong; no step looks further back than
// three bytes before it, and each begins by itself.
TEXT ·bulkAVX2(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), DX
	XORL AX, AX
	CMPQ DX, $64
	JBE  upTo64
	CMPQ DX, $128
	JBE  upTo128

	// While all is ASCII, 128 bytes at a time; CX: the last place for that.
	LEAQ -128(DX), CX

ascii:
	VMOVDQU   (SI)(AX*1), Y0
	VMOVDQU   32(SI)(AX*1), Y1
	VPOR      64(SI)(AX*1), Y0, Y0
	VPOR      96(SI)(AX*1), Y1, Y1
	VPOR      Y1, Y0, Y0
	VPMOVMSKB Y0, BX
	TESTL     BX, BX
	JNE       begin
	ADDQ      $128, AX
	CMPQ      AX, CX
	JLE       ascii

	// The rest: the last 128 bytes, some of them again.
	VMOVDQU   (SI)(CX*1), Y0
	VMOVDQU   32(SI)(CX*1), Y1
	VPOR      64(SI)(CX*1), Y0, Y0
	VPOR      96(SI)(CX*1), Y1, Y1
	VPOR      Y1, Y0, Y0
	VPMOVMSKB Y0, BX
	TESTL     BX, BX
	JEQ       all

begin:
	CONSTANTS
	LEAQ  -64(DX), CX
	TESTQ AX, AX
	JNE   next

	// The first 32 bytes have nothing before them: zeros are shifted in.
	VMOVDQU    (SI), Y0
	VPERM2I128 $0x08, Y0, Y0, Y4
	VPALIGNR   $15, Y4, Y0, Y1
	VPALIGNR   $14, Y4, Y0, Y2
	VPALIGNR   $13, Y4, Y0, Y3
	CHECK
	VPTEST     Y15, Y15
	JNE        stop
	MOVL       $32, AX

next:
	CMPQ AX, CX
	JGT  tail

step:
	VMOVDQU   -3(SI)(AX*1), Y0
	VPOR      (SI)(AX*1), Y0, Y0
	VPOR      32(SI)(AX*1), Y0, Y0
	VPMOVMSKB Y0, BX
	TESTL     BX, BX
	JEQ       asciiStep
	CHECKAT(0, SI, AX)
	CHECKAT(32, SI, AX)
	VPTEST    Y15, Y15
	JNE       stop
	ADDQ      $64, AX
	CMPQ      AX, CX
	JLE       step
	JMP       tail

asciiStep:
	ADDQ $64, AX
	LEAQ -128(DX), CX
	CMPQ AX, CX
	JLE  ascii
	LEAQ -64(DX), CX
	JMP  next

tail:
	// Up to 63 bytes: 32 of them, if there are, and the last 32.
	MOVQ DX, CX
	SUBQ AX, CX
	JEQ  all
	CMPQ CX, $32
	JBE  last
	CHECKAT(0, SI, AX)

last:
	CHECKAT(-32, SI, DX)
	VPTEST Y15, Y15
	JNE    stop

all:
	MOVQ DX, AX

stop:
	VZEROUPPER
	MOVQ AX, ret+16(FP)
	RET

upTo128:
	VMOVDQU   (SI), Y0
	VMOVDQU   32(SI), Y1
	VPOR      -64(SI)(DX*1), Y0, Y0
	VPOR      -32(SI)(DX*1), Y1, Y1
	VPOR      Y1, Y0, Y0
	VPMOVMSKB Y0, BX
	TESTL     BX, BX
	JEQ       all
	JMP       begin

upTo64:
	CMPQ       DX, $35
	JB         upTo34
	VMOVDQU    (SI), Y0
	VPOR       -32(SI)(DX*1), Y0, Y1
	VPMOVMSKB  Y1, BX
	TESTL      BX, BX
	JEQ        all

	// The first 32 bytes and the last 32 at once; where something is broken, again with
	// a look after each.
	CONSTANTS
	VPERM2I128 $0x08, Y0, Y0, Y4
	VPALIGNR   $15, Y4, Y0, Y1
	VPALIGNR   $14, Y4, Y0, Y2
	VPALIGNR   $13, Y4, Y0, Y3
	CHECK
	CHECKAT(-32, SI, DX)
	VPTEST     Y15, Y15
	JEQ        all
	JMP        begin

upTo34:
	CMPQ DX, $19
	JB   upTo18

	// The first and the last 16 bytes in one vector. Of 33 and 34 bytes the
	// last are left over.
	MOVL        $32, CX
	CMPQ        DX, CX
	CMOVQHI     CX, DX
	VMOVDQU     (SI), X0
	VINSERTI128 $1, -16(SI)(DX*1), Y0, Y7
	VPMOVMSKB   Y7, BX
	TESTL       BX, BX
	JEQ         all
	CONSTANTS
	VPSLLDQ     $1, X0, X1
	VPSLLDQ     $2, X0, X2
	VPSLLDQ     $3, X0, X3
	VINSERTI128 $1, -17(SI)(DX*1), Y1, Y1
	VINSERTI128 $1, -18(SI)(DX*1), Y2, Y2
	VINSERTI128 $1, -19(SI)(DX*1), Y3, Y3
	VMOVDQA     Y7, Y0
	CHECK
	VPTEST      Y15, Y15
	JNE         stop
	JMP         all

upTo18:
	// From 16 bytes on, these; the last are left over. Fewer, 9 at least, are
	// filled up with zeros, from two words that overlap.
	CMPQ    DX, $16
	JAE     only16
	MOVQ    (SI), R8
	MOVQ    -8(SI)(DX*1), R9
	MOVL    $16, CX
	SUBL    DX, CX
	SHLL    $3, CX
	SHRQ    CX, R9
	VMOVQ   R8, X0
	VPINSRQ $1, R9, X0, X0
	JMP     one

only16:
	MOVL    $16, DX
	VMOVDQU (SI), X0

one:
	CONSTANTS
	VPSLLDQ   $1, X0, X1
	VPSLLDQ   $2, X0, X2
	VPSLLDQ   $3, X0, X3
	CHECK
	VPXOR     X0, X0, X0
	VPCMPEQB  X0, X15, X15
	VPMOVMSKB X15, BX
	NOTL      BX

	// A character that the zeros cut short is not broken: bits from n on go.
	MOVL  $16, CX
	SUBL  DX, CX
	SHLL  CX, BX
	TESTW BX, BX
	JNE   stop
	JMP   all
