//go:build !purego

#include "textflag.h"

// The frames are what makes the stacks grow: the assembler puts a check that they fit before
// the first instruction, and the runtime doubles a stack until they do.

// func Grow4()
TEXT ·Grow4(SB), 0, $2048-0
	RET
