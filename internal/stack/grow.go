//go:build !purego

package stack

// Grow4 makes the stack of the goroutine that calls it 4 KiB, if it was less. Call it where few
// calls have led to.
func Grow4()

// Grow16 does the same with 16 KiB.
func Grow16()
