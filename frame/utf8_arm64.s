//go:build !purego

#include "textflag.h"

// CHECK looks at the bytes of a vector, with those one, two and three before
// them in V20, V21 and V22, and adds what is broken to V31. utf8_lookup.go says
// how. V16 to V18: lookup. V19: the low four bits. V28, V29: what makes a
// saturated subtraction, a maximum and a difference here, leave 0x80 or more of
// 0xe0, of 0xf0 or more. V30: the high bit.
#define CHECK(bytes) \
	VUSHR $4, V20.B16, V23.B16              \
	VUSHR $4, bytes.B16, V25.B16            \
	VAND  V19.B16, V20.B16, V24.B16         \
	VTBL  V23.B16, [V16.B16], V23.B16       \
	VTBL  V25.B16, [V18.B16], V25.B16       \
	VTBL  V24.B16, [V17.B16], V24.B16       \
	VUMAX V28.B16, V21.B16, V21.B16         \
	VUMAX V29.B16, V22.B16, V22.B16         \
	VSUB  V28.B16, V21.B16, V21.B16         \
	VSUB  V29.B16, V22.B16, V22.B16         \
	VAND  V25.B16, V23.B16, V23.B16         \
	VORR  V22.B16, V21.B16, V21.B16         \
	VAND  V24.B16, V23.B16, V23.B16         \
	VAND  V30.B16, V21.B16, V21.B16         \
	VEOR  V21.B16, V23.B16, V23.B16         \
	VORR  V23.B16, V31.B16, V31.B16

// CHECKAFTER does so for a vector that follows another.
#define CHECKAFTER(before, bytes) \
	VEXT $15, bytes.B16, before.B16, V20.B16 \
	VEXT $14, bytes.B16, before.B16, V21.B16 \
	VEXT $13, bytes.B16, before.B16, V22.B16 \
	CHECK(bytes)

// CHECKAT does so for the 16 bytes at base, which have others before them.
#define CHECKAT(base) \
	FMOVQ (base), F0    \
	FMOVQ -1(base), F20 \
	FMOVQ -2(base), F21 \
	FMOVQ -3(base), F22 \
	CHECK(V0)

// ANY gathers in R8 whether a bit of V31 is set.
#define ANY \
	VMOV V31.D[0], R8 \
	VMOV V31.D[1], R9 \
	ORR  R9, R8, R8

// NOTASCII gathers in R8 the high bits of V0 to V3.
#define NOTASCII \
	VORR V1.B16, V0.B16, V4.B16 \
	VORR V3.B16, V2.B16, V5.B16 \
	VORR V5.B16, V4.B16, V4.B16 \
	VMOV V4.D[0], R8            \
	VMOV V4.D[1], R9            \
	ORR  R9, R8, R8             \
	AND  R10, R8, R8

// func bulkNEON(p *byte, n int) int
//
// The plan is that of amd64. R0: p. R1: its end. R2: how far nothing is wrong;
// no step looks further back than 16 bytes before it, and each begins by itself.
TEXT ·bulkNEON(SB), NOSPLIT, $0-24
	MOVD p+0(FP), R0
	MOVD n+8(FP), R3
	ADD  R3, R0, R1
	MOVD R0, R2
	MOVD $0x8080808080808080, R10
	SUB  $64, R1, R4
	CMP  $64, R3
	BLO  upTo63

	// While all is ASCII; R4: the last place for 64 bytes.
ascii:
	VLD1 (R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	NOTASCII
	CBNZ R8, begin
	ADD  $64, R2
	CMP  R4, R2
	BLS  ascii

	// The rest: the last 64 bytes, some of them again.
	VLD1 (R4), [V0.B16, V1.B16, V2.B16, V3.B16]
	NOTASCII
	CBZ  R8, all

begin:
	MOVD $·lookup(SB), R5
	VLD1 (R5), [V16.B16, V17.B16, V18.B16]
	VMOVI $0x0f, V19.B16
	VMOVI $0x60, V28.B16
	VMOVI $0x70, V29.B16
	VMOVI $0x80, V30.B16
	VEOR  V31.B16, V31.B16, V31.B16
	CMP   R0, R2
	BNE   next

	// The first 16 bytes have nothing before them: zeros are shifted in.
	VLD1 (R0), [V0.B16]
	CHECKAFTER(V31, V0)
	ANY
	CBNZ R8, stop
	ADD  $16, R2

next:
	CMP R4, R2
	BHI tail

step:
	SUB   $16, R2, R5
	VLD1  (R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1  (R5), [V6.B16]
	CHECKAFTER(V6, V0)
	CHECKAFTER(V0, V1)
	CHECKAFTER(V1, V2)
	CHECKAFTER(V2, V3)
	ANY
	CBNZ  R8, stop
	ADD   $64, R2
	NOTASCII
	CBZ   R8, asciiAgain
	CMP   R4, R2
	BLS   step

tail:
	// Up to 63 bytes: vectors, and the last 16 bytes.
	ADD  $16, R2, R5
	CMP  R1, R5
	BHI  last
	CHECKAT(R2)
	ANY
	CBNZ R8, stop
	MOVD R5, R2
	B    tail

last:
	// Of 17 and 18 bytes the last are left over.
	CMP  R1, R2
	BEQ  stop
	CMP  $19, R3
	BLO  stop
	SUB  $16, R1, R5
	CHECKAT(R5)
	ANY
	CBNZ R8, stop

all:
	MOVD R1, R2

stop:
	SUB  R0, R2, R2
	MOVD R2, ret+16(FP)
	RET

asciiAgain:
	CMP R4, R2
	BLS ascii
	B   tail

upTo63:
	CMP  $32, R3
	BLO  begin
	SUB  $32, R1, R5
	VLD1 (R0), [V0.B16, V1.B16]
	VLD1 (R5), [V2.B16, V3.B16]
	NOTASCII
	CBZ  R8, all
	B    begin
