//go:build !purego

package stack

// Grow4 makes the stack of the goroutine that calls it 4 KiB, if it was less. Call it where few
// calls have led to.
func Grow4()
